"""The metrics of all workers of a service, answered by any of them."""

from __future__ import annotations

from prometheus_client.metrics_core import Metric

from instrumentation.errors import InternalErrors
from instrumentation.export.directory import Directory
from instrumentation.export.periodic import Periodic
from instrumentation.series import Families

_GAUGES_SECONDS = 5.0


class Workers:
    """Reads every worker's files, and keeps this one's gauges fresh for the others.

    A gauge that is brought up to date only when it is read would be so in the worker that
    happens to answer.
    """

    def __init__(self, shared: Directory, families: Families, errors: InternalErrors) -> None:
        self._directory = shared
        self._families = families
        self._gauges = Periodic("instrumentation-gauges", self._refresh, _GAUGES_SECONDS, errors)

    def start(self) -> None:
        """Start to keep the gauges fresh."""
        self._gauges.start()

    def flush(self, timeout: float, *, last: bool = False) -> bool:
        """Write the gauges; everything else is written already."""
        return self._gauges.flush(timeout)

    def release(self, timeout: float) -> None:
        """Leave the gauges as they are."""
        self._gauges.stop()

    def collect(self) -> list[Metric]:
        """The families of every worker."""
        self._refresh()
        return self._directory.collect()

    def _refresh(self) -> bool:
        self._families.refresh()
        return True
