"""A user's receivers: what each name sends to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import yaml

from commandline.errors import sentence

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

CHANNELS: Final = tuple(
    f"{name}_configs"
    for name in (
        "discord", "email", "incidentio", "jira", "mattermost", "msteams", "msteamsv2", "opsgenie",
        "pagerduty", "pushover", "rocketchat", "slack", "sns", "telegram", "victorops", "webex",
        "webhook", "wechat",
    )
)  # fmt: skip
"""What Alertmanager 0.34 can send to."""

_PAGE: Final = "page"


def read(path: Path, names: Collection[str]) -> dict[str, Any]:
    """Return what a file holds: `receivers`, and `global` where it has that.

    Args:
        path: a YAML file.
        names: those that something is sent to.

    Raises ValueError for a file that can't be read, for a receiver that nothing is sent to or that
    has a key which Alertmanager doesn't know, and for pages that are sent to nobody.
    """
    given = _load(path)
    try:
        _demand_shape(given)
        seen: set[str] = set()
        for receiver in given["receivers"]:
            seen.add(_demand_receiver(receiver, names, seen))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return dict(given)


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(sentence(error)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is no YAML: {sentence(error)}") from error


def _demand_shape(given: object) -> None:
    shape = isinstance(given, Mapping) and isinstance(given.get("receivers"), list)
    if not (shape and isinstance(given, Mapping)) or set(given) - {"global", "receivers"}:
        raise ValueError("must hold a list `receivers`, and may hold `global`")
    if not isinstance(given.get("global", {}), Mapping):
        raise ValueError(f"global: must be keys with values, not {given['global']!r}")


def _demand_receiver(receiver: object, names: Collection[str], seen: Collection[str]) -> str:
    """Return the receiver's name."""
    name = receiver.get("name") if isinstance(receiver, Mapping) else None
    if name not in names or not isinstance(receiver, Mapping):
        raise ValueError(f"receivers: nothing is sent to {name!r}; names are {', '.join(names)}")
    if name in seen:
        raise ValueError(f"receivers: {name} is there twice")
    for key, configs in receiver.items():
        if key not in ("name", *CHANNELS):
            raise ValueError(
                f"receivers: {name}: {key} is no key; keys are name, {', '.join(CHANNELS)}"
            )
        if key != "name" and not _is_list_of_mappings(configs):
            raise ValueError(f"receivers: {name}: {key} must be a list of keys with values")
    # Tickets, the log and the dead man's switch may be left to nobody, on purpose.
    is_page = str(name).partition("-")[0] == _PAGE
    if is_page and not any(receiver.get(channel) for channel in CHANNELS):
        raise ValueError(
            f"receivers: {name} sends to nobody: give it a channel, such as webhook_configs"
        )
    return str(name)


def _is_list_of_mappings(configs: object) -> bool:
    return isinstance(configs, list) and all(isinstance(each, Mapping) for each in configs)
