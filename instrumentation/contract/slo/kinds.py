"""Kinds of numbers: what a value of each kind may be, and whether a drill shortens it.

A section of the service levels is a frozen dataclass whose fields are made by the functions here,
so that a number is documented, bounded and scaled where it is defined. Durations are seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dataclasses import Field

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a number means, and the bounds outside of which it can only be a mistake.

    Args:
        rule: completes "must be ...".
        bounds: the smallest and the largest value allowed.
        duration: whether it counts seconds, and may be written as `5m`.
        scaled: whether a drill divides it by its factor.
        window: whether it must hold several scrapes.
        whole: whether it counts things.
        share: whether it is a part of a whole, and may be written as `1%`.
    """

    rule: str
    bounds: tuple[float, float]
    duration: bool = False
    scaled: bool = False
    window: bool = False
    whole: bool = False
    share: bool = False

    def check(self, value: object) -> None:
        """Raise ValueError where the value is none of this kind; the message completes a key."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"must be {self.rule}, not {value!r}")
        smallest, largest = self.bounds
        fits = math.isfinite(value) and smallest <= value <= largest
        if not fits or (self.whole and value != int(value)):
            raise ValueError(f"must be {self.rule}, not {value:g}")


_INTERVAL: Final = Kind(
    rule="an interval from 1s to 5m", bounds=(1, 5 * MINUTE), duration=True, scaled=True
)
_WINDOW: Final = Kind(
    rule="a window from 1s to 28d",
    bounds=(1, 28 * DAY),
    duration=True,
    scaled=True,
    window=True,
)
_WAIT: Final = Kind(rule="a wait from 0s to 1d", bounds=(0, DAY), duration=True, scaled=True)
_PAST: Final = Kind(rule="a past from 10m to 28d", bounds=(10 * MINUTE, 28 * DAY), duration=True)
_SECONDS: Final = Kind(rule="a duration from 1ms to 1h", bounds=(0.001, HOUR), duration=True)
_SHARE: Final = Kind(
    rule="a share from 0.0001 to 0.9999 (0.01% to 99.99%)", bounds=(1e-4, 0.9999), share=True
)
_COUNT: Final = Kind(rule="a whole number from 1 to 1000000000", bounds=(1, 1e9), whole=True)
_FACTOR: Final = Kind(rule="a factor from 1 to 1000", bounds=(1, 1000))

_KEY: Final = "kind"


def kind_of(each: Field[Any]) -> Kind | None:
    """Return a field's kind; None for a section."""
    kind = each.metadata.get(_KEY)
    return kind if isinstance(kind, Kind) else None


def interval(default: float) -> Any:
    """How often something happens, in seconds. A drill shortens it."""
    return _number(default, _INTERVAL)


def window(default: float) -> Any:
    """How far back a query looks, in seconds. A drill shortens it."""
    return _number(default, _WINDOW)


def wait(default: float) -> Any:
    """For how long something must last, in seconds. A drill shortens it."""
    return _number(default, _WAIT)


def past(default: float) -> Any:
    """A distance in time, in seconds, that a drill leaves as it is."""
    return _number(default, _PAST)


def seconds(default: float) -> Any:
    """How long something takes, in seconds. A drill leaves it as it is."""
    return _number(default, _SECONDS)


def share(default: float) -> Any:
    """A part of a whole, between 0 and 1."""
    return _number(default, _SHARE)


def count(default: float) -> Any:
    """How many, at least one."""
    return _number(default, _COUNT)


def factor(default: float) -> Any:
    """How many times as much, at least once."""
    return _number(default, _FACTOR)


def _number(default: float, kind: Kind) -> Any:
    return field(default=default, metadata={_KEY: kind})
