"""The list of all scenarios."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from alerts.backtest import changes, harmless, incidents, missing
from alerts.backtest.catalog import Scenario, story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

    from alerts.backtest.catalog import Harmless, Incident
    from alerts.backtest.draw import Draw
    from alerts.backtest.world import World

_AUTUMN: Final = frozenset({"traffic_lost_in_autumn", "clock_set_back", "clock_set_forward"})
_COMPARED: Final = _AUTUMN | {
    "closing_time",
    "counters_reset",
    "deploy",
    "deploy_of_new_instances",
    "hole",
    "holiday_a_week_ago",
    "less_than_usual",
    "low_and_noisy",
    "night",
    "quiet_day",
    "replica_lost",
    "restarts_again_and_again",
    "sale_a_week_ago",
    "sale_two_weeks_ago",
    "scale_down",
    "scale_up",
    "scanner",
}
"""Harmless days whose traffic could be mistaken for lost traffic."""


_PAST_ONLY: Final = frozenset({"closing_time"})


def _public(module: ModuleType) -> Iterator[tuple[str, Callable[[Draw], Any]]]:
    for name, value in vars(module).items():
        own = inspect.isfunction(value) and value.__module__ == module.__name__
        if own and not name.startswith("_"):
            yield name, value


def _nothing_wrong(make: Harmless) -> Callable[[Draw], tuple[World, Incident | None]]:
    return lambda draw: (make(draw), None)


def _scenarios(module: ModuleType) -> Iterator[Scenario]:
    for name, make in _public(module):
        yield Scenario(
            name=name,
            story=story(make),
            make=_nothing_wrong(make) if module in (changes, harmless) else make,
            weeks=module is missing or name in _COMPARED,
            past_only=name in _PAST_ONLY,
            autumn=name in _AUTUMN,
        )


SCENARIOS: Final = tuple(
    scenario
    for module in (incidents, missing, harmless, changes)
    for scenario in _scenarios(module)
)
"""Incidents first."""
