"""What all commands of the demo have in common: no arguments, and one sentence for a refusal."""

from __future__ import annotations

import contextlib
from argparse import ArgumentParser
from typing import TYPE_CHECKING

from pydantic import ValidationError

from commandline import errors
from demo_service.settings import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator


def refuse_arguments(module: str, description: str | None) -> None:
    """End the process where `python -m module` got arguments: variables set the demo."""
    ArgumentParser(prog=f"python -m {module}", description=description).parse_args()


@contextlib.contextmanager
def refusals(name: str) -> Iterator[None]:
    """End the process with one sentence where the block meets a setting that can't be meant."""
    try:
        yield
    except ValidationError as error:
        raise SystemExit(f"{name}: {sentence(error)}") from None
    except (OSError, ValueError) as error:
        raise SystemExit(f"{name}: {errors.sentence(error)}") from None
