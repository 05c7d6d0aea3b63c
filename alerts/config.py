"""Reads a user's `alerts.yaml`: numbers, teams, and what differs for a service or a route.

```yaml
team: platform
errors:
  ratio: 2%
services:
  exports:
    team: reporting
    tail: {floor: 5s}
    routes:
      "/exports/{id}":
        errors: {ratio: 5%}
```
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import yaml

from alerts import unrepeated
from commandline.errors import sentence
from instrumentation.contract import buckets
from instrumentation.contract.slo import DEFAULTS, Kind, Numbers
from instrumentation.contract.slo.kinds import kind_of

if TYPE_CHECKING:
    from pathlib import Path

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_TEAM: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_NO_NAME: Final = re.compile(r"[\x00-\x1f\x7f\"\\]|\{\{|^$")
"""Names stand in the templates of labels, between quotes."""
_REACH: Final = {
    "tail.floor": buckets.DENSE[-1],
    "threads.waited": buckets.DURATION[-1],
    "pool.waited": buckets.DURATION[-1],
    "dependency.slow": buckets.DURATION[-1],
    "loop.endpoint": buckets.PAUSE[-1],
}
"""The last bound of the histogram behind a threshold: no quantile is told beyond it."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """What differs for one service, and for routes of it."""

    numbers: Numbers
    given: tuple[str, ...] = ()
    team: str = ""
    routes: Mapping[str, Route] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Route:
    """What differs for one route."""

    numbers: Numbers
    given: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What rules are made from. `given` are the keys that a service or route sets itself."""

    numbers: Numbers = DEFAULTS
    team: str = ""
    services: Mapping[str, Service] = field(default_factory=dict)

    @property
    def teams(self) -> tuple[str, ...]:
        """Every team's name, sorted."""
        named = (self.team, *(service.team for service in self.services.values()))
        return tuple(sorted({name for name in named if name}))

    def scaled(self, factor: float) -> Plan:
        """Return the plan with every window, wait and interval divided."""
        return replace(
            self,
            numbers=self.numbers.scaled(factor),
            services={name: _scaled(each, factor) for name, each in self.services.items()},
        )


def load(path: Path) -> Plan:
    """Read a plan. Raises ValueError, naming file and key, for whatever can't be meant."""
    try:
        content = unrepeated.load(path.read_text(encoding="utf-8"))
        return parse({} if content is None else content)
    except OSError as error:
        raise ValueError(sentence(error)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is no YAML: {sentence(error)}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parse(content: object) -> Plan:
    """Make a plan from what a YAML file holds. Raises ValueError naming the key."""
    tree = _mapping(content, "")
    numbers, _ = _numbers(DEFAULTS, tree, "", ("team", "services"))
    services = _mapping(tree.get("services", {}), "services")
    return Plan(
        numbers=numbers,
        team=_team(tree, ""),
        services={
            _name(name, "services"): _service(numbers, each, f"services.{name}.")
            for name, each in services.items()
        },
    )


def _service(numbers: Numbers, content: object, key: str) -> Service:
    tree = _mapping(content, key.removesuffix("."))
    own, given = _numbers(numbers, tree, key, ("team", "routes"))
    routes = {}
    for name, each in _mapping(tree.get("routes", {}), f"{key}routes").items():
        place = f"{key}routes.{name}."
        changed, keys = _numbers(own, _mapping(each, place.removesuffix(".")), place, ())
        routes[_name(name, f"{key}routes")] = Route(numbers=changed, given=keys)
    return Service(numbers=own, given=given, team=_team(tree, key), routes=routes)


def _numbers(
    numbers: Numbers, tree: Mapping[str, Any], key: str, others: tuple[str, ...]
) -> tuple[Numbers, tuple[str, ...]]:
    """Return the numbers with those of the tree, and the keys that it sets."""
    given: list[str] = []
    sections = {name: each for name, each in tree.items() if name not in others}
    changed = _section(numbers, sections, key, others, given)
    return changed, tuple(each.removeprefix(key) for each in given)


def _section(
    section: Any, tree: Mapping[str, Any], key: str, others: tuple[str, ...], given: list[str]
) -> Any:
    known = {each.name: each for each in fields(section)}
    changes: dict[str, Any] = {}
    for name, value in tree.items():
        if name not in known:
            raise ValueError(f"{key}{name}: is no key{_nearest(str(name), (*known, *others))}")
        inner, place = getattr(section, name), f"{key}{name}"
        kind = kind_of(known[name])
        if kind:
            changes[name] = _value(kind, value, place)
            given.append(place)
        elif is_dataclass(inner):
            changes[name] = _section(inner, _mapping(value, place), f"{place}.", (), given)
    try:
        return replace(section, **changes)
    except ValueError as error:  # two numbers that contradict each other
        raise ValueError(f"{key}{error}") from error


def _value(kind: Kind, value: object, key: str) -> float:
    number = _read(kind, value)
    try:
        kind.check(number)
    except ValueError as error:
        raise ValueError(f"{key}: {str(error).rsplit(', not ', 1)[0]}, not {value!r}") from error
    assert isinstance(number, int | float)  # noqa: S101 - for the type checker: it was checked
    if key.endswith("objectives.latency"):
        _demand_bound(float(number), key)
    _demand_reach(float(number), key)
    return float(number)


def _read(kind: Kind, value: object) -> object:
    """Read `5m` and `1%` where they are meant; anything else is left as it is."""
    text = value.strip() if isinstance(value, str) else ""
    if kind.duration and _DURATION.fullmatch(text):
        return sum(float(many) * _UNITS[unit] for many, unit in _PART.findall(text))
    percent = _PERCENT.fullmatch(text)
    if kind.share and percent:
        return float(percent[1]) / 100
    return value


def _demand_bound(seconds: float, key: str) -> None:
    """A share of requests is exact at a bound of the histogram alone."""
    if seconds in buckets.DENSE:
        return
    near = sorted(sorted(buckets.DENSE, key=lambda bound: abs(bound - seconds))[:2])
    nearest = " or ".join(f"{bound:g}" for bound in near)
    raise ValueError(
        f"{key}: must be a bound of the request duration's histogram, such as {nearest} s, "
        f"not {seconds:g} s"
    )


def _demand_reach(seconds: float, key: str) -> None:
    last = _REACH.get(".".join(key.split(".")[-2:]), math.inf)
    if seconds >= last:
        raise ValueError(
            f"{key}: must be below {last:g} s, the last bound of its histogram, or it would never "
            f"be exceeded, not {seconds:g} s"
        )


def _name(name: object, key: str) -> str:
    text = str(name)
    if _NO_NAME.search(text):
        raise ValueError(
            f"{key}: must be names without quotes, backslashes, {{{{ and control characters, "
            f"not {text!r}"
        )
    return text


def _team(tree: Mapping[str, Any], key: str) -> str:
    team = tree.get("team", "")
    if team and not (isinstance(team, str) and _TEAM.fullmatch(team)):
        raise ValueError(f"{key}team: must be lower-case letters, digits and -, not {team!r}")
    return str(team)


def _mapping(content: object, key: str) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        place = f"{key}: " if key else ""
        raise ValueError(f"{place}must be keys with values, not {content!r}")
    return content


def _nearest(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; keys are {', '.join(sorted(known))}"


def _scaled(service: Service, factor: float) -> Service:
    routes = {
        name: replace(each, numbers=each.numbers.scaled(factor))
        for name, each in service.routes.items()
    }
    return replace(service, numbers=service.numbers.scaled(factor), routes=routes)
