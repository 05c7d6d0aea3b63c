"""The metrics reference in Markdown, made from the contract: `python -m instrumentation`."""

from __future__ import annotations

import re
from pathlib import Path

from instrumentation.contract import buckets, metrics, slo
from instrumentation.contract.metrics import Metric

_HEAD = """\
# Metrics

Every metric of the contract. Names are OpenTelemetry's semantic conventions 1.44 as Prometheus
spells them, so dashboards and rules also read services that another OpenTelemetry SDK measures.
Durations are seconds. This page is generated from `instrumentation/contract/metrics.py`; a metric
that is *reserved* has its name, labels and buckets, and is not measured yet.

| metric | type | labels | what it says | |
|---|---|---|---|---|
"""

_TAIL = """
## Labels

- `http_route` is the full template: the application's root, a template for each mount (its
  parameters by name), the route's own path. What no route took is `unmatched`; static files and
  misses below a mount are `{{mount}}/{{path}}`. A path, a query string or a user's value is never a
  label.
- `http_request_method` is `_OTHER` for a method that the conventions don't know.
- `http_response_status_code` is empty where no status was sent: the client left before.
- `error_type` is empty unless the request failed: the exception's class, or the status.
- A family keeps at most `INSTRUMENTATION_SERIES_LIMIT` label combinations (1,000); further ones
  share one series whose labels are `_overflow`, and are counted in
  `instrumentation_series_overflow_total`.
- `job` is `OTEL_SERVICE_NAME`, `instance` the address that is scraped.

## Buckets

The request duration is *dense*: {dense} bounds from {first:g} s to {last:g} s, each 1.247 times the
one before, with the latency objective ({objective:g} s) among them. p99 and p50 read from them are
close enough to be divided by each other. No bound is an integer: `le` is spelled `1.0` in the text
format and `1` through OTLP. All other histograms have at most {most} bounds.

## Exemplars

An observation carries `trace_id` and `span_id` of its span if that was sampled. They travel in
OpenMetrics only, which a scraper asks for by its `Accept` header.
"""


def reference() -> str:
    """The whole page."""
    measured = _measured()
    rows = "".join(_row(metric, measured) for metric in metrics.ALL)
    others = {metric.buckets for metric in metrics.ALL} - {buckets.DENSE}
    tail = _TAIL.format(
        dense=len(buckets.DENSE),
        first=buckets.DENSE[0],
        last=buckets.DENSE[-1],
        objective=slo.LATENCY_OBJECTIVE_SECONDS,
        most=max(map(len, others)),
    )
    return _HEAD + rows + tail


def _measured() -> set[str]:
    """The metrics that some module of the library asks for by its name in the contract."""
    sources = "".join(path.read_text() for path in Path(__file__).parent.rglob("*.py"))
    asked = set(re.findall(r"\bmetrics\.([A-Z_]+)", sources))
    return {found.name for name, found in vars(metrics).items() if name in asked - {"ALL"}}


def _row(metric: Metric, measured: set[str]) -> str:
    kind = "histogram, dense" if metric.buckets == buckets.DENSE else metric.kind
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
    state = "" if metric.name in measured else "*reserved*"
    return f"| `{metric.name}` | {kind} | {labels} | {metric.help} | {state} |\n"
