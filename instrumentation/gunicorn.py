"""gunicorn's hooks for PROMETHEUS_MULTIPROC_DIR, to import in `gunicorn.conf.py`:

from instrumentation.gunicorn import child_exit, on_starting  # noqa: F401
"""

from __future__ import annotations

import logging
import os
from typing import Any

from instrumentation.export import directory

logger = logging.getLogger("instrumentation")


def on_starting(server: Any) -> None:
    """Empty the directory, unless a master before this one still runs.

    Raises:
        ValueError: PROMETHEUS_MULTIPROC_DIR is wrong.
    """
    shared = directory.from_env()
    if shared is not None:
        shared.join(os.getpid(), is_master=True)


def child_exit(server: Any, worker: Any) -> None:
    """Merge what a worker left; should that fail, the next scrape does it."""
    try:
        shared = directory.from_env()
        if shared is not None:
            shared.bury()
    except Exception:
        logger.exception("the metrics of worker %s could not be merged yet", worker.pid)
