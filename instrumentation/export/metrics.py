"""How metrics leave the process: scraped from it or from any worker of several, or sent."""

from __future__ import annotations

from typing import Protocol

from prometheus_client import CollectorRegistry

from instrumentation.environment import wrong
from instrumentation.errors import InternalErrors
from instrumentation.export import directory
from instrumentation.export.directory import Directory
from instrumentation.export.workers import Workers
from instrumentation.series import Families
from instrumentation.settings import Settings


class Way(Protocol):
    """What has to be done for metrics beside answering a scrape."""

    def start(self) -> None:
        """Start the thread that does it."""

    def flush(self, timeout: float, *, last: bool = False) -> bool:
        """Do it now; `last` says that the process ends."""

    def release(self, timeout: float) -> None:
        """Do it once more, and no more for this application."""


def joined(settings: Settings) -> Directory | None:
    """The directory that several workers share, joined, or None.

    To be called before any family is made: prometheus-client opens its files with the first.

    Raises:
        ValueError: PROMETHEUS_MULTIPROC_DIR is wrong, or metrics are to be sent as well.
    """
    shared = directory.from_env()
    if shared is None:
        return None
    if settings.metrics_exporter == "otlp":
        rule = f"prometheus or none where {directory.VARIABLE} is set: all would be counted twice"
        raise wrong("OTEL_METRICS_EXPORTER", rule, "otlp")
    shared.join(directory.master())
    return shared


def sent(settings: Settings, registry: CollectorRegistry, errors: InternalErrors) -> Way | None:
    """What sends the registry, if it is to be sent."""
    if settings.metrics_exporter != "otlp":
        return None
    from instrumentation.export import push  # the SDK's metrics are a megabyte of their own

    return push.of(registry, settings, errors)


def workers(shared: Directory | None, families: Families, errors: InternalErrors) -> Workers | None:
    """What reads the directory, if there is one."""
    return None if shared is None else Workers(shared, families, errors)
