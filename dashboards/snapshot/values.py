"""Spells numbers for people, each in its unit."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from dashboards.snapshot.moments import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.model import Unit

_BYTES: Final = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def spelled(value: float, unit: Unit) -> str:
    """Return a number with its unit; nothing for NaN."""
    if math.isnan(value):
        return ""
    if unit == "since":
        return shown(value / 1000)
    if unit == "state":
        return "yes" if value else "over"
    if unit == "seconds":
        return f"{value * 1000:.3g} ms" if abs(value) < 1 else f"{value:.4g} s"
    if unit == "ratio":
        percent = value * 100
        return f"{percent:.2g} %" if abs(percent) < 1 else f"{round(percent, 2):g} %"
    if unit == "requests":
        return f"{value:.3g}/s"
    if unit == "bytes":
        size, name = next(((s, n) for s, n in _BYTES if abs(value) >= s), (1, "B"))
        return f"{value / size:.3g} {name}"
    return f"{value:.4g}"


def legend(template: str, labels: Mapping[str, str]) -> str:
    """Fill in Grafana's template of a line's name; a label that is missing leaves nothing."""
    name = re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), template)
    return " ".join(name.split())
