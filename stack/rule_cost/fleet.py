"""A fleet of services as Prometheus sees it: instances with 40 routes and 3 statuses each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from instrumentation.contract.buckets import DENSE

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP_SECONDS: Final = 15
INSTANCES: Final = 5
"""Of each service."""
ROUTES: Final = tuple(f"/route-{nth}" for nth in range(40))
STATUSES: Final = ("200", "404", "500")
ENVIRONMENT: Final = "cost"

_SERIES: Final = len(DENSE) + 3
_REQUESTS_A_STEP: Final = 30
_USUAL_BUCKETS: Final = range(10, 15)
"""All is well, as on most days: the texts of alerts that fire are no cost of the rules."""
_COUNTS: Final = tuple(
    _REQUESTS_A_STEP if place in _USUAL_BUCKETS else 0 for place in range(len(DENSE) + 1)
)

AT_MOST: Final = tuple(accumulate(_COUNTS))
"""Requests that a route of an instance answers with 200 in a step, up to each bound and in all."""
MEAN_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Fleet:
    """So many instances, in services of five."""

    instances: int

    @classmethod
    def of(cls, series: int) -> Fleet:
        """Return the fleet that has about so many series."""
        return cls(max(1, round(series / (len(ROUTES) * len(STATUSES) * _SERIES))))

    @property
    def services(self) -> dict[str, int]:
        """Each service's name and number of instances."""
        names = [self.service(nth) for nth in range(self.instances)]
        return {name: names.count(name) for name in names}

    def service(self, instance: int) -> str:
        """Name the service that an instance belongs to."""
        return f"service-{instance // INSTANCES}"

    def requests(self, step: int, at: float) -> Iterator[ExportMetricsServiceRequest]:
        """Put a scrape of each instance together, the counters `step` steps after their start."""
        # All instances count alike: one message, with another name each time.
        message = _counters(step, at)
        name, instance, environment = (
            message.resource_metrics[0].resource.attributes.add(key=key).value
            for key in ("service.name", "service.instance.id", "deployment.environment.name")
        )
        environment.string_value = ENVIRONMENT
        for nth in range(self.instances):
            name.string_value = self.service(nth)
            instance.string_value = str(nth)
            yield message


def _counters(step: int, at: float) -> ExportMetricsServiceRequest:
    message = ExportMetricsServiceRequest()
    metric = (
        message.resource_metrics.add()
        .scope_metrics.add()
        .metrics.add(name="http.server.request.duration", unit="s")
    )
    metric.histogram.aggregation_temporality = (
        AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    )
    for route in ROUTES:
        for status in STATUSES:
            point = metric.histogram.data_points.add(time_unix_nano=int(at * 1e9))
            for key, value in (("http.route", route), ("http.response.status_code", status)):
                point.attributes.add(key=key).value.string_value = value
            steps = step if status == STATUSES[0] else 0
            point.explicit_bounds.extend(DENSE)
            point.bucket_counts.extend(count * steps for count in _COUNTS)
            point.count = AT_MOST[-1] * steps
            point.sum = point.count * MEAN_SECONDS
    return message
