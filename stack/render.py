"""Puts configuration in place: the committed files, the rules, this stack's addresses."""

import json
from pathlib import Path
from typing import Any

import yaml

from stack.environment import REPOSITORY
from stack.options import COMMITTED, Options

SOURCE = REPOSITORY / "stack" / "prometheus.yml"
RECEIVERS = REPOSITORY / "stack" / "receivers"
INTERVALS = ("scrape_interval", "evaluation_interval")


def render(options: Options) -> None:
    """Write the folder `config` of the data folder."""
    targets = options.config / "targets"
    targets.mkdir(parents=True, exist_ok=True)
    # Redis makes no folder by itself.
    (options.data / "redis").mkdir(exist_ok=True)
    (options.config / "prometheus.yml").write_text(prometheus_config(options.scale))
    _link(options.config / "rules", options.rules.resolve())
    for name, groups in _targets(options).items():
        (targets / f"{name}.json").write_text(json.dumps(groups, indent=2))
    _render_alertmanager(options)


def _render_alertmanager(options: Options) -> None:
    """Write the committed configuration with this stack's receivers, whatever their ports.

    Alertmanager takes addresses from files alone, and expands no environment variables.
    """
    receivers = options.config / "receivers"
    receivers.mkdir(exist_ok=True)
    for path in RECEIVERS.glob("*.url"):
        text = path.read_text().replace(
            "//receiver:9095/", f"//{options.address('RECEIVER_PORT')}/"
        )
        (receivers / path.name).write_text(text)
    config: dict[str, Any] = yaml.safe_load(COMMITTED.read_text())
    config["templates"] = [str(COMMITTED.parent / each) for each in config["templates"]]
    for receiver in config["receivers"]:
        for hook in receiver["webhook_configs"]:
            hook["url_file"] = str(receivers / Path(hook["url_file"]).name)
    options.alertmanager_copy.write_text(yaml.safe_dump(config, sort_keys=False))


def prometheus_config(scale: float) -> str:
    """Return the committed configuration with its intervals divided by `scale`.

    Prometheus expands no environment variables in this file, so a scaled copy is the way.
    """
    source = SOURCE.read_text()
    if scale == 1:
        return source
    config: dict[str, Any] = yaml.safe_load(source)
    for interval in INTERVALS:
        seconds = float(config["global"][interval].removesuffix("s"))
        config["global"][interval] = f"{seconds * 1000 / scale:.0f}ms"
    return yaml.safe_dump(config, sort_keys=False)


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _targets(options: Options) -> dict[str, list[dict[str, Any]]]:
    def group(port: str, job: str) -> dict[str, Any]:
        return {"targets": [options.address(port)], "labels": {"job": job}}

    return {
        "services": [
            group("DEMO_PORT", "orders"),
            group("PAYMENTS_PORT", "payments"),
            group("RECEIPTS_PORT", "receipts"),
        ],
        "backends": [
            group("COLLECTOR_METRICS_PORT", "otel-collector"),
            group("JAEGER_METRICS_PORT", "jaeger"),
            group("PROMETHEUS_PORT", "prometheus"),
            group("ALERTMANAGER_PORT", "alertmanager"),
        ],
        "alertmanagers": [{"targets": [options.address("ALERTMANAGER_PORT")]}],
    }
