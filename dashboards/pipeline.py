"""Pipeline: is the telemetry itself healthy."""

from __future__ import annotations

from typing import Final

from dashboards.model import Board, Graph, Query, Row, Unit, Variable
from dashboards.prune import ALL_VALUES
from dashboards.variables import JOB, OF_INSTANCE
from dashboards.words import WINDOW
from instrumentation.contract import places, slo
from instrumentation.contract.panels import pipeline

_JOBS: Final = Variable(
    places.JOB_VARIABLE, "Job", "label_values(up, job)", several=True, default=ALL_VALUES
)
_INSTANCES: Final = Variable(
    places.INSTANCE_VARIABLE,
    "Instance",
    f"label_values(up{{{JOB}}}, instance)",
    several=True,
    default=ALL_VALUES,
)
_RECEIVER: Final = "{{job}} {{receiver}}"
_BOTH: Final = "{{job}} {{receiver}}{{exporter}}"
_EXPORTER: Final = "{{job}} {{exporter}}"


def _graph(
    title: str,
    description: str,
    *queries: Query,
    empty: str,
    unit: Unit = "requests",
    threshold: float | None = None,
) -> Graph:
    return Graph(
        title=title,
        description=description,
        unit=unit,
        queries=queries,
        empty=empty,
        threshold=threshold,
    )


def _up() -> Graph:
    return _graph(
        "Does everything answer its scrapes?",
        "1 while an instance does. A collector that does not hides every service behind it.",
        Query(pipeline.up(OF_INSTANCE), "{{job}} {{instance}}"),
        unit="number",
        empty="Prometheus scrapes nothing",
    )


def _through(signal: str, words: str) -> Graph:
    return _graph(
        f"Do {words} go through?",
        "A second, into receivers and out of exporters. Of spans the collector keeps a sample, so "
        "less goes out than comes in.",
        Query(pipeline.received(signal, WINDOW, OF_INSTANCE), f"in {_RECEIVER}"),
        Query(pipeline.sent(signal, WINDOW, OF_INSTANCE), f"out {_EXPORTER}"),
        empty="Neither collector nor Jaeger handles any",
    )


def _lost(signal: str, words: str) -> Graph:
    return _graph(
        f"Are {words} lost?",
        "A second, refused by receivers and given up by exporters. Anything above zero is a hole "
        "in what is seen.",
        Query(pipeline.lost(signal, WINDOW, OF_INSTANCE), _BOTH, "errors"),
        empty="Nothing was ever refused or given up",
    )


def _queue() -> Graph:
    return _graph(
        "How full are the collector's queues?",
        "They hold on disk what a backend does not take. The line is where the ticket begins.",
        Query(pipeline.queue_filled(OF_INSTANCE), _EXPORTER, "waiting"),
        unit="ratio",
        threshold=slo.DEFAULTS.watchers.queue,
        empty="No exporter has a queue",
    )


def _spans() -> Graph:
    return _graph(
        "What becomes of the services' spans?",
        "Finished spans a second; dropped and failed ones never left the service.",
        Query(pipeline.spans(WINDOW, OF_INSTANCE), "{{job}} {{outcome}}"),
        empty="No service makes spans",
    )


def _waiting() -> Graph:
    return _graph(
        "Do spans pile up in the services?",
        "Finished spans that wait for export. A full queue drops the next ones.",
        Query(pipeline.spans_waiting(OF_INSTANCE), "{{job}}"),
        unit="number",
        empty="No service makes spans",
    )


def _internal() -> Graph:
    return _graph(
        "Does the instrumentation itself fail?",
        "Errors inside it a second, which no request ever saw, and observations that it folded "
        "together because a metric had too many series.",
        Query(pipeline.internal_errors(WINDOW, OF_INSTANCE), "error {{job}} {{part}}", "errors"),
        Query(pipeline.overflow(WINDOW, OF_INSTANCE), "folded {{job}} {{metric}}"),
        empty="It never failed and never folded anything",
    )


def _series() -> Graph:
    return _graph(
        "How many series does Prometheus hold?",
        "In memory. A line that rises without end is a label with too many values.",
        Query(pipeline.series(OF_INSTANCE), "{{instance}}"),
        unit="number",
        empty="Prometheus does not scrape itself",
    )


def _samples() -> Graph:
    return _graph(
        "How many samples does it store?",
        "A second.",
        Query(pipeline.samples(WINDOW, OF_INSTANCE), "{{instance}}"),
        empty="Prometheus does not scrape itself",
    )


def _rules() -> Graph:
    return _graph(
        "How long do rules take, and do they fail?",
        "The ten slowest groups, in seconds; red, evaluations a second that failed.",
        Query(pipeline.slowest_rules(OF_INSTANCE), "{{rule_group}}"),
        Query(pipeline.failing_rules(WINDOW, OF_INSTANCE), "failed {{rule_group}}", "errors"),
        unit="number",
        empty="Prometheus evaluates no rule, or does not scrape itself",
    )


def _messages() -> Graph:
    return _graph(
        "Do alerts reach somebody?",
        "Messages a second that Alertmanager sends; red, those that failed, and alerts that "
        "Prometheus could not hand on.",
        Query(pipeline.notifications(WINDOW, OF_INSTANCE), "{{integration}}"),
        Query(
            pipeline.notifications_failed(WINDOW, OF_INSTANCE), "failed {{integration}}", "errors"
        ),
        Query(
            pipeline.alerts_lost(WINDOW, OF_INSTANCE), "not handed on {{alertmanager}}", "errors"
        ),
        empty="Alertmanager is not scraped",
    )


PIPELINE: Final = Board(
    name="pipeline",
    uid=places.PIPELINE_DASHBOARD_UID,
    title="Pipeline",
    description="Collector, Jaeger, Prometheus and Alertmanager: is the telemetry itself healthy.",
    since="now-1h",
    refresh="30s",
    variables=(_JOBS, _INSTANCES),
    rows=(
        Row("Alive", (_up(), _queue(), _messages())),
        Row("Spans", (_through("spans", "spans"), _lost("spans", "spans"), _spans())),
        Row(
            "Metrics",
            (
                _through("metric_points", "metrics"),
                _lost("metric_points", "metrics"),
                _waiting(),
            ),
        ),
        Row("Prometheus", (_series(), _samples(), _rules(), _internal())),
    ),
)
