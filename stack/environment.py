"""Versions and ports: `.env`, overridden by the process environment."""

import os
from pathlib import Path

from dotenv import dotenv_values

REPOSITORY = Path(__file__).resolve().parent.parent


def load() -> dict[str, str]:
    """Return every variable of `.env`; the process environment beats the file."""
    declared = dotenv_values(REPOSITORY / ".env", interpolate=False)
    return {name: os.environ.get(name) or value or "" for name, value in declared.items()}
