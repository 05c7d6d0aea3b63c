"""Reads YAML without a key that is there twice, of which the last would silently count."""

from __future__ import annotations

from typing import Any

import yaml


def load(text: str) -> Any:
    """Return what a text holds, as `yaml.safe_load` does.

    Raises:
        ValueError: a key is there twice.
        yaml.YAMLError: it is no YAML.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        twice = next((key for key, _ in node.value if keys.count(key.value) > 1), None)
        if twice is not None:
            line = twice.start_mark.line + 1
            raise ValueError(f"{twice.value}: is there twice, first in line {line}")
        return super().construct_mapping(node, deep)
