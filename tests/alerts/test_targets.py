"""A job that can't be seen any more pages; one of its instances, or a blink, doesn't."""

from __future__ import annotations

from pathlib import Path

from tests.alerts.promtool import Simulation

FILES = ("targets.yml",)


def up(job: str, values: str, instance: str = "i", environment: str = "test") -> dict[str, str]:
    """Return what a scrape said; without an environment, the label is absent."""
    labels = f'deployment_environment_name="{environment}",instance="{instance}",job="{job}"'
    return {"series": f"up{{{labels}}}", "values": values}


def test_a_job_that_is_down_pages_and_resolves(tmp_path: Path) -> None:
    series = [
        up("orders", "1+0x40 0+0x39 1+0x40"),
        up("blinking", "1+0x40 0+0x2 1+0x100"),
        up("partly", "1+0x40 0+0x100", instance="a"),
        up("partly", "1+0x140", instance="b"),
        up("jaeger", "1+0x40 0+0x39 1+0x40"),
    ]
    down = {("TargetGone", "orders", "critical"), ("TargetGone", "jaeger", "warning")}
    Simulation(FILES, series).check(
        tmp_path, {"10m": set(), "12m": set(), "14m": down, "20m": down, "22m": set()}
    )


def test_a_job_that_vanished_pages_for_a_day(tmp_path: Path) -> None:
    series = [up("orders", "1+0x40"), up("steady", "1+0x2000")]
    down = {("TargetGone", "orders", "critical")}
    Simulation(FILES, series, step="1m", evaluate="5m").check(
        tmp_path, {"40m": set(), "55m": down, "1400m": down, "1500m": set()}
    )


def test_a_job_whose_environment_label_changed_is_not_gone(tmp_path: Path) -> None:
    series = [up("orders", "1+0x40"), up("orders", "_x41 1+0x100", environment="other")]
    Simulation(FILES, series).check(tmp_path, {"10m": set(), "15m": set(), "30m": set()})


def test_a_job_that_is_down_is_named_with_the_environment_it_had(tmp_path: Path) -> None:
    """Through the collector, `up` loses the label as soon as no target_info is scraped."""
    series = [
        up("orders", "1+0x40"),
        up("orders", "_x41 0+0x100", environment=""),
        up("orders", "1+0x140", environment="other"),
    ]
    expected = {
        "expr": 'ALERTS{alertname="TargetGone", alertstate="firing"}',
        "eval_time": "20m",
        "exp_samples": [
            {
                "labels": 'ALERTS{alertname="TargetGone", alertstate="firing", job="orders", '
                'kind="symptom", deployment_environment_name="test", level="job", '
                'severity="critical"}',
                "value": 1,
            }
        ],
    }
    Simulation(FILES, series).run(tmp_path, promql_expr_test=[expected])


def test_a_job_that_never_was_up_pages(tmp_path: Path) -> None:
    down = {("TargetGone", "orders", "critical")}
    series = [up("orders", "0+0x3000")]
    Simulation(FILES, series, step="1m", evaluate="5m").check(
        tmp_path, {"0m": set(), "10m": down, "2900m": down}
    )


def test_watchdog_always_fires(tmp_path: Path) -> None:
    Simulation(FILES, []).check(
        tmp_path, {"0m": {("Watchdog", "prometheus", "none")}}, severities="none"
    )
