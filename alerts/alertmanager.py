"""Alertmanager's configuration for a drill: shorter waits, receivers of the drill's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from instrumentation.contract.promql import duration

if TYPE_CHECKING:
    from alerts.model import Scale

SOURCE: Final = Path(__file__).parent / "alertmanager.yml"

_WAITS: Final = frozenset({"group_wait", "group_interval", "repeat_interval", "resolve_timeout"})
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def write(folder: Path, scale: Scale, webhook: str | None) -> None:
    """Write `alertmanager.yml` and its receivers' address files into a folder.

    Args:
        folder: made where missing. The copy names its files absolutely, so Alertmanager may
            be started anywhere.
        scale: shortens every wait.
        webhook: address in front of each receiver's name; None keeps the committed ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = yaml.safe_load(SOURCE.read_text())
    for receiver in config["receivers"]:
        for hook in receiver["webhook_configs"]:
            committed = SOURCE.parent.parent / hook["url_file"]
            copy = folder.resolve() / committed.name
            copy.write_text(f"{webhook}/{receiver['name']}" if webhook else committed.read_text())
            hook["url_file"] = str(copy)
    text = yaml.safe_dump(shortened(config, scale), sort_keys=False, width=1_000_000)
    (folder / "alertmanager.yml").write_text(text)


def shortened(node: Any, scale: Scale) -> Any:
    """Return a configuration with every wait divided by the scale's factor."""
    if isinstance(node, list):
        return [shortened(item, scale) for item in node]
    if isinstance(node, dict):
        return {
            key: duration(scale(_seconds(value))) if key in _WAITS else shortened(value, scale)
            for key, value in node.items()
        }
    return node


def _seconds(text: str) -> float:
    return sum(float(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)([a-z]+)", text))
