"""The counters of a service as the collector's scrapes would have brought them."""

from collections.abc import Iterator, Mapping
from itertools import accumulate

from instrumentation.contract import promql
from instrumentation.contract.buckets import DENSE
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION
from stack.history import latency
from stack.history.series import ENVIRONMENT, spell
from stack.history.traffic import Counter


class RawSeries:
    """The request duration's buckets, count and sum of one kind of request.

    Args:
        counter: where the values come from.
        instances: each job's scrape address.
        environment: `deployment_environment_name`, or nothing.
    """

    def __init__(self, counter: Counter, instances: Mapping[str, str], environment: str) -> None:
        kind = counter.kind
        labels = {
            "job": kind.job,
            "instance": instances[kind.job],
            ENVIRONMENT: environment,
            "http_request_method": kind.method,
            "http_route": kind.route,
            "http_response_status_code": str(kind.status),
            "url_scheme": "http",
        }
        name = HTTP_SERVER_REQUEST_DURATION.name
        bounds = [*(promql.bound(bound) for bound in DENSE), "+Inf"]
        self._buckets = [spell(f"{name}_bucket", {**labels, "le": le}) for le in bounds]
        self._count = spell(f"{name}_count", labels)
        self._sum = spell(f"{name}_sum", labels)
        self._counter = counter
        self._mean = latency.mean(kind)

    def lines(self, at: int) -> Iterator[str]:
        """Yield the samples of this moment."""
        total = 0
        for series, total in zip(self._buckets, accumulate(self._counter.buckets), strict=True):
            yield f"{series} {total} {at}\n"
        yield f"{self._count} {total} {at}\n"
        yield f"{self._sum} {total * self._mean:.6f} {at}\n"
