"""How metrics leave the process: scraped from it, or from any worker of several."""

from __future__ import annotations

from instrumentation.errors import InternalErrors
from instrumentation.export import directory
from instrumentation.export.directory import Directory
from instrumentation.export.workers import Workers
from instrumentation.series import Families


def joined() -> Directory | None:
    """The directory that several workers share, joined, or None.

    To be called before any family is made: prometheus-client opens its files with the first.

    Raises:
        ValueError: PROMETHEUS_MULTIPROC_DIR is wrong.
    """
    shared = directory.from_env()
    if shared is not None:
        shared.join(directory.master())
    return shared


def workers(shared: Directory | None, families: Families, errors: InternalErrors) -> Workers | None:
    """What reads the directory, if there is one."""
    return None if shared is None else Workers(shared, families, errors)
