"""The list of all scenarios."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from alerts.backtest import changes, harmless, incidents, missing, partial, rhythms, slight
from alerts.backtest.catalog import Scenario, story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

    from alerts.backtest.catalog import Harmless, Incident
    from alerts.backtest.draw import Draw
    from alerts.backtest.world import World

_HARMLESS: Final = (harmless, changes, rhythms, slight)
_AUTUMN: Final = frozenset({"traffic_lost_in_autumn", "clock_set_back", "clock_set_forward"})
_PAST_ONLY: Final = frozenset(
    {
        "batch_each_hour",
        "clock_set_back",
        "clock_set_forward",
        "closing_time",
        "evening",
        "holiday_a_week_ago",
        "less_than_usual",
        "opening_time",
        "sale_a_week_ago",
        "sale_two_weeks_ago",
        "traffic_lost",
        "traffic_lost_a_quarter",
        "traffic_lost_after_a_holiday",
        "traffic_lost_in_autumn",
        "traffic_lost_of_few",
        "traffic_lost_of_one_route",
        "traffic_lost_young",
        "weekend",
    }
)
_COMPARED: Final = _PAST_ONLY | {
    "crash_loop_of_one_replica",
    "doubled_for_an_hour",
    "fewer_from_minute_to_minute",
    "gap",
    "new_route",
    "new_service",
    "refused_after_a_release",
    "counters_reset",
    "deploy",
    "deploy_of_new_instances",
    "hole",
    "low_and_noisy",
    "night",
    "quiet_day",
    "replica_lost",
    "restarts_again_and_again",
    "scale_down",
    "scale_up",
    "scanner",
}
"""Harmless days whose traffic could be mistaken for lost traffic."""


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
            make=_nothing_wrong(make) if module in _HARMLESS else make,
            weeks=module is missing or name in _COMPARED,
            past_only=name in _PAST_ONLY,
            autumn=name in _AUTUMN,
        )


SCENARIOS: Final = tuple(
    scenario
    for module in (incidents, partial, missing, *_HARMLESS)
    for scenario in _scenarios(module)
)
"""Incidents first."""
