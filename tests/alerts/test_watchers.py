"""Watchers: the telemetry tells of its own failures, by the names that its parts really use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.alerts.cases import Life, silent
from tests.alerts.parts import MINUTE, Series

FILES = ("watchers.yml", "targets.yml")
COLLECTOR = {"job": "otel-collector", "instance": "127.0.0.1:8888"}
PROMETHEUS = {"job": "prometheus", "instance": "127.0.0.1:9090"}
ALERTMANAGER = {"job": "alertmanager", "instance": "127.0.0.1:9093"}
GROUP = "/etc/prometheus/rules/tail.yml;tail"


def series(name: str, values: str, **labels: str) -> Series:
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return {"series": f"{name}{{{inside}}}", "values": values}


def said(**parts: Any) -> dict[str, Any]:
    return {"kind": "watcher", "environment": "", **parts}


def refusing(name: str) -> Life:
    return Life(
        alert="CollectorRefusing",
        files=FILES,
        series=[
            series("target_info", "1+0x300", **COLLECTOR),
            series(name, "0+0x39 0+20x40 800+0x80", **COLLECTOR, receiver="otlp", transport="http"),
        ],
        # The first sample of the fourth phase's rise is at 615 s.
        start=10 * 60 + 15,
        firing=18,
        silent=(10, 12, 26),
        said=said(
            **COLLECTOR,
            level="receiver",
            receiver="otlp",
            signal="spans",
            summary="otel-collector refuses spans",
            description="400 were refused by its receiver otlp over the last 5 minutes. Senders "
            "try again for a while, then they are lost.",
        ),
    )


LIVES = (
    Life(
        alert="InstanceDown",
        files=FILES,
        series=[
            series("up", "1+0x120", job="orders", instance="a"),
            series("up", "1+0x39 0+0x39 1+0x40", job="orders", instance="b"),
        ],
        start=10 * 60,
        firing=18,
        silent=(10, 14, 21),
        said=said(
            level="instance",
            instance="b",
            summary="b of orders can't be seen",
            description="It fails its scrapes while other instances of the job answer theirs.",
        ),
    ),
    refusing("otelcol_receiver_refused_spans"),
    # As Jaeger spells it, and the collector of other versions.
    refusing("otelcol_receiver_refused_spans_total"),
    Life(
        alert="CollectorDropping",
        files=FILES,
        # The counter begins with the first loss.
        series=[
            series("target_info", "1+0x300", **COLLECTOR),
            series(
                "otelcol_exporter_send_failed_metric_points", "_x40 50+0x120", **COLLECTOR,
                exporter="otlp_http/prometheus",
            ),
        ],
        start=10 * 60,
        firing=13,
        silent=(10, 16),
        said=said(
            **COLLECTOR,
            level="exporter",
            exporter="otlp_http/prometheus",
            signal="metric_points",
            summary="otel-collector loses metric_points",
            description="50 were lost for good by its exporter otlp_http/prometheus over the last "
            "5 minutes: its queue is full, or the backend refuses them.",
        ),
    ),
    Life(
        alert="CollectorQueueing",
        files=FILES,
        series=[
            series(
                f"otelcol_exporter_queue_{what}", values, **COLLECTOR,
                exporter="otlp_grpc/jaeger", data_type="traces",
            )
            for what, values in (("size", "0+0x39 250+0x39 0+0x40"), ("capacity", "1000+0x120"))
        ],
        start=10 * 60,
        firing=15,
        silent=(10, 11, 21),
        said=said(
            **COLLECTOR,
            level="exporter",
            exporter="otlp_grpc/jaeger",
            signal="traces",
            summary="otel-collector can't deliver traces",
            description="The queue of its exporter otlp_grpc/jaeger is 25% full. Nothing is lost "
            "until it is full.",
        ),
    ),
    Life(
        alert="RuleEvaluationFailing",
        files=FILES,
        series=[
            series(
                "prometheus_rule_evaluation_failures_total", "0+0x39 0+1x40 40+0x80", **PROMETHEUS,
                rule_group=GROUP,
            )
        ],
        start=10 * 60 + 15,
        firing=18,
        silent=(10, 12, 26),
        said=said(
            **PROMETHEUS,
            severity="critical",
            level="rule_group",
            rule_group=GROUP,
            summary="Rules of tail.yml;tail fail in prometheus",
            description="20 evaluations failed over the last 5 minutes. What they would tell is "
            "not told.",
        ),
    ),
    Life(
        alert="RuleEvaluationSlow",
        files=FILES,
        series=[
            series(
                "prometheus_rule_group_iterations_missed_total", "0+0x39 0+1x40 40+0x80",
                **PROMETHEUS, rule_group=GROUP,
            )
        ],
        start=10 * 60 + 3 * 15,
        firing=18,
        silent=(10, 12, 26),
        said=said(
            **PROMETHEUS,
            level="rule_group",
            rule_group=GROUP,
            summary="Rules of tail.yml;tail are too slow in prometheus",
            description="20 evaluations were left out over the last 5 minutes, because the ones "
            "before took longer than the group's interval: every alert of the group comes late.",
        ),
    ),
    Life(
        alert="AlertsNotSent",
        files=FILES,
        series=[
            series(f"prometheus_notifications_{what}_total", values, **PROMETHEUS, alertmanager="a")
            for what, values in (("errors", "0+0x39 0+1x40 40+0x80"), ("sent", "0+2x160"))
        ],
        start=10 * 60 + 15,
        firing=18,
        silent=(10, 12, 26),
        said=said(
            **PROMETHEUS,
            severity="critical",
            level="alertmanager",
            alertmanager="a",
            summary="prometheus can't reach its Alertmanager",
            description="50% of the alerts over the last 5 minutes could not be handed to a. Where "
            "it is the only one, nobody reads this.",
        ),
    ),
    Life(
        alert="NotificationsFailing",
        files=FILES,
        series=[
            *(
                series(
                    "alertmanager_notifications_failed_total", values, **ALERTMANAGER,
                    integration="slack", reason=reason,
                )
                for reason, values in (
                    ("other", "0+0x39 0+1x40 40+0x80"), ("clientError", "0+0x160"),
                )
            ),
            series("alertmanager_notifications_total", "0+2x160", **ALERTMANAGER,
                   integration="slack"),
        ],
        start=10 * 60 + 15,
        firing=18,
        silent=(10, 12, 26),
        said=said(
            job="alertmanager",
            severity="critical",
            level="integration",
            integration="slack",
            summary="alertmanager can't send its messages by slack",
            description="50% of them could not be sent over the last 5 minutes, though each was "
            "tried several times. People learn of nothing that way.",
        ),
    ),
)  # fmt: skip


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.alert)
def test_a_watcher_is_silent_then_fires_then_resolves(life: Life, tmp_path: Path) -> None:
    life.check(tmp_path)


def test_a_job_that_is_down_as_a_whole_is_no_instances_matter(tmp_path: Path) -> None:
    down = [series("up", "1+0x40 0+0x200", job="orders", instance=each) for each in "ab"]
    silent("InstanceDown", FILES, down, tmp_path)


def test_an_evaluation_left_out_at_the_start_is_silent(tmp_path: Path) -> None:
    name = "prometheus_rule_group_iterations_missed_total"
    once = series(name, f"0+0x{5 * MINUTE} 1+0x200", **PROMETHEUS, rule_group=GROUP)
    silent("RuleEvaluationSlow", FILES, [once], tmp_path)


def test_a_collector_that_comes_up_with_old_losses_is_silent(tmp_path: Path) -> None:
    series_ = [
        series("target_info", "_x40 1+0x200", **COLLECTOR),
        series(
            "otelcol_exporter_send_failed_spans", "_x40 900+0x200", **COLLECTOR, exporter="jaeger"
        ),
    ]
    silent("CollectorDropping", FILES, series_, tmp_path)
