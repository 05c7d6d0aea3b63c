"""How far back the rules of a folder look, and at what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import promql_parser
import yaml

from stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOOKBACK_SECONDS: Final = 300
"""How old the sample may be that Prometheus takes for the present."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True)
class Span:
    """A stretch of the past, in seconds before now."""

    begin: float
    end: float


@dataclass(frozen=True)
class Read:
    """One selector: its name, its exact `le` if it has one, and the past that it reads."""

    name: str
    le: str | None
    span: Span


class Rules:
    """The rules of a folder: what they read, and how often each name is recorded.

    Raises StackError where there are none.
    """

    def __init__(self, folder: Path) -> None:
        self._reads: dict[str, list[Read]] = defaultdict(list)
        self.intervals: dict[str, float] = {}
        self.expressions: list[str] = []
        paths = sorted(folder.glob("*.yml"))
        if not paths:
            raise StackError(f"{folder} holds no rule files (*.yml)")
        for path in paths:
            for group in yaml.safe_load(path.read_text())["groups"]:
                for rule in group["rules"]:
                    self.expressions.append(rule["expr"])
                    if "record" in rule:
                        self.intervals[rule["record"]] = _seconds(group["interval"])
                    for read in _reads(promql_parser.parse(rule["expr"]), 0):
                        self._reads[read.name].append(read)

    def of(self, name: str) -> list[Read]:
        """Return everything that is read of a name."""
        return self._reads[name]

    def spans(self, name: str) -> list[Span]:
        """Return the stretches of a name's past that are read, the farthest first."""
        return sorted({read.span for read in self._reads[name]}, key=lambda span: -span.begin)


def _reads(node: Any, window: float, offset: float = 0) -> Iterator[Read]:
    """Yield the selectors below a node of a parsed expression, with the windows around them."""
    window += _length(getattr(node, "range", None))
    if isinstance(node, promql_parser.VectorSelector):
        offset += _length(node.offset)
        exact = (each.value for each in node.matchers.matchers if each.name == "le")
        span = Span(offset + (window or _LOOKBACK_SECONDS), offset)
        yield Read(str(node.name), next(exact, None), span)
        return
    offset += _length(getattr(node, "offset", None))
    children = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector")]
    for child in (*children, *(getattr(node, "args", None) or ())):
        if child is not None:
            yield from _reads(child, window, offset)


def _length(time: timedelta | None) -> float:
    return time.total_seconds() if time is not None else 0


def _seconds(text: str) -> float:
    return float(text[:-1]) * _UNITS[text[-1]]
