"""What tables say of what happened once, or is over, in promtool's simulated time."""

from __future__ import annotations

from pathlib import Path

from dashboards.variables import OF_INSTANCE, OF_SERVICE
from instrumentation.contract import promql
from instrumentation.contract.panels import objectives, saturation
from tests.alerts.promtool import Simulation

CULPRIT = 'job="orders",http_route="/a",culprit="a.py:1 f"'
ALERT = 'alertname="HighErrorRatio",severity="critical",job="orders"'


def asked(expression: str, minutes: int, **samples: float) -> dict[str, object]:
    """Over the last ten minutes, of all services; a sample is named after its labels."""
    filled = expression.replace(promql.RANGE, "10m").replace("$job", ".*")
    return {
        "expr": filled.replace("$instance", ".*"),
        "eval_time": f"{minutes}m",
        "exp_samples": [
            {"labels": f"{{{CULPRIT if name == 'culprit' else ALERT}}}", "value": value}
            for name, value in samples.items()
        ],
    }


def test_a_line_that_blocked_once_is_named_with_all_its_seconds(tmp_path: Path) -> None:
    series = [
        {"series": 'target_info{job="orders",instance="i"}', "values": "1x60"},
        {
            "series": f'asyncio_event_loop_culprit_seconds_total{{instance="i",{CULPRIT}}}',
            "values": "_x29 3x30",
        },
    ]
    held = saturation.culprit_seconds(promql.RANGE, OF_INSTANCE)
    expected = [asked(held, 28), asked(held, 35, culprit=3), asked(held, 45)]
    Simulation((), series, step="1m").run(tmp_path, promql_expr_test=expected)


def test_an_alert_that_is_over_is_told_apart_from_one_that_fires(tmp_path: Path) -> None:
    series = [
        {"series": f'ALERTS{{alertstate="firing",{ALERT}}}', "values": "_x19 1x4 stale _x30"},
        {"series": f"ALERTS_FOR_STATE{{{ALERT}}}", "values": "_x18 60x5 stale _x30"},
    ]
    fires, since = objectives.fires(OF_SERVICE), objectives.firing_since(OF_SERVICE)
    expected = [
        asked(fires, 18),
        asked(since, 18),
        asked(fires, 22, alert=1),
        asked(since, 22, alert=60_000),
        asked(fires, 30, alert=0),
        asked(since, 30, alert=60_000),
        asked(fires, 40),
        asked(since, 40),
    ]
    Simulation((), series, step="1m").run(tmp_path, promql_expr_test=expected)
