"""What was promised, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """One promise.

    Args:
        name: what is promised.
        measured: the figure.
        bound: where it is kept: at most this, or at least it where `at_least` is set.
        unit: of both.
        note: what else helps to judge the figure, like its spread.
    """

    name: str
    measured: float
    bound: float
    unit: str = ""
    at_least: bool = False
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is kept."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def cells(self) -> Sequence[str]:
        """The row of a table."""
        rule = "at least" if self.at_least else "at most"
        measured = f"{self.measured:.2f}{self.unit}" + (f" ({self.note})" if self.note else "")
        return self.name, measured, f"{rule} {self.bound:g}{self.unit}", self.verdict

    @property
    def verdict(self) -> str:
        """In a word."""
        return "kept" if self.holds else "missed"

    def line(self) -> str:
        """What a run says about it."""
        name, measured, bound, verdict = self.cells()
        return f"{verdict}: {name}: {measured}, {bound}"

    def as_json(self) -> dict[str, Any]:
        """For the file of results."""
        return {**asdict(self), "holds": self.holds}


def table(targets: Iterable[Target]) -> str:
    """The promises in Markdown."""
    lines = ["| promise | measured | bound | |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(target.cells())} |" for target in targets])
