"""Alertmanager's configuration: with a team's routes, a user's receivers, or a drill's waits."""

from __future__ import annotations

import copy
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from alerts import channels
from instrumentation.contract.promql import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.model import Scale

SOURCE: Final = Path(__file__).parent / "alertmanager.yml"
TEMPLATES: Final = SOURCE.parent / "templates"

_WAITS: Final = frozenset({"group_wait", "group_interval", "repeat_interval", "resolve_timeout"})
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_OF_TEAMS: Final = {"page": 'severity="critical"', "ticket": 'severity="warning"'}
"""Receivers that each team has one of, and what reaches them."""


def write(
    folder: Path,
    scale: Scale,
    webhook: str | None,
    *,
    teams: Sequence[str] = (),
    receivers: Path | None = None,
) -> None:
    """Write `alertmanager.yml`, its templates and its receivers' address files into a folder.

    Args:
        folder: made where missing. The copy names its files absolutely, so Alertmanager may
            be started anywhere. Address files that are there already stay as they are.
        scale: shortens every wait.
        webhook: address in front of each receiver's name; None keeps the committed ones.
        teams: each gets a receiver `page-TEAM` and one `ticket-TEAM`.
        receivers: a file of receivers that replace those of the same name, and of `global`.

    Raises ValueError for receivers that can't be meant, OSError for files that can't be written.
    """
    config: dict[str, Any] = yaml.safe_load(SOURCE.read_text())
    for team in teams:
        _add_team(config, team)
    if receivers:
        _replace_receivers(config, receivers)
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    for template in TEMPLATES.iterdir():
        # Not with its mode: the copy of a read-only one couldn't be written anew.
        shutil.copyfile(template, folder / "templates" / template.name)
    for receiver in config["receivers"]:
        _write_addresses(folder, receiver, webhook)
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


def _add_team(config: dict[str, Any], team: str) -> None:
    """Send a team's pages and tickets to receivers of its own, first copies of everybody's."""
    routes = config["route"]["routes"]
    own = []
    for name, matcher in _OF_TEAMS.items():
        everybody = next(each for each in routes if each["matchers"] == [matcher])
        own.append({**copy.deepcopy(everybody), "receiver": f"{name}-{team}"})
        config["receivers"].append({**_receiver(config, name), "name": f"{name}-{team}"})
    matchers = [f'team="{team}"', 'severity=~"critical|warning"']
    routes.insert(0, {"matchers": matchers, "routes": own})


def _receiver(config: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in config["receivers"] if each["name"] == name)
    return copy.deepcopy(found)


def _replace_receivers(config: dict[str, Any], path: Path) -> None:
    known = [each["name"] for each in config["receivers"]]
    given = channels.read(path, known)
    for receiver in given["receivers"]:
        config["receivers"][known.index(receiver["name"])] = receiver
    if "global" in given:
        config["global"] = given["global"]


def _write_addresses(folder: Path, receiver: dict[str, Any], webhook: str | None) -> None:
    """Copy what this project keeps beside its configuration; other files are the user's."""
    for hook in receiver.get("webhook_configs", ()):
        committed = SOURCE.parent.parent / hook.get("url_file", "")
        if committed.parent != SOURCE.parent / "receivers":
            continue
        own = folder.resolve() / f"{receiver['name']}.url"
        if webhook:
            own.write_text(f"{webhook}/{receiver['name']}")
        elif not own.exists():
            own.write_text(committed.read_text())
        hook["url_file"] = str(own)


def _seconds(text: str) -> float:
    return sum(float(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)([a-z]+)", text))
