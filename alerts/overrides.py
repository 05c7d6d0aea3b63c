"""Makes the rules of a plan: those of everybody, and those that differ for a service or a route.

A service whose threshold differs gets an alert of its own, with the same name and labels; the one
of everybody leaves it out. What is recorded is recorded once, for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alerts.model import Alert, Group, Record
from instrumentation.contract import promql
from instrumentation.contract.slo import keyed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alerts.config import Plan
    from instrumentation.contract.slo import Numbers

    Make = Callable[[Numbers], tuple[Group, ...]]


@dataclass(frozen=True, kw_only=True)
class _Scope:
    """A service, or a route of one, with numbers of its own."""

    key: str
    labels: tuple[tuple[str, str], ...]
    numbers: Numbers
    base: Numbers
    given: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.labels)


def groups(plan: Plan, make: Make) -> tuple[Group, ...]:
    """Return a module's groups of rules for a plan."""
    scopes = tuple(_scopes(plan))
    everybody = make(plan.numbers)
    own = [make(scope.numbers) for scope in scopes]
    return tuple(
        replace(
            group,
            rules=tuple(
                rule
                for place, each in enumerate(group.rules)
                for rule in _variants(
                    each,
                    [
                        (scope, theirs[nth].rules[place])
                        for scope, theirs in zip(scopes, own, strict=True)
                    ],
                    plan,
                )
            ),
        )
        for nth, group in enumerate(everybody)
    )


def demand_effect(plan: Plan, makers: tuple[Make, ...]) -> None:
    """Raise ValueError for a key of a service or route that changes no alert of it.

    What is recorded is recorded once for all, and a route has no alerts of its own but those by
    route: such a key would be read, and nothing would come of it.
    """
    everybody = [group for make in makers for group in make(plan.numbers)]
    for scope in _scopes(plan):
        for key in scope.given:
            changed = _with(scope, key)
            theirs = [group for make in makers for group in make(changed)]
            base = [group for make in makers for group in make(scope.base)]
            if _recorded(theirs) != _recorded(everybody):
                raise ValueError(f"{scope.key}.{key}: is the same for all services; set it on top")
            if changed != scope.base and _alerts(theirs, scope) == _alerts(base, scope):
                raise ValueError(f"{scope.key}.{key}: no alert of it reads this number")


def _variants(
    rule: Record | Alert, theirs: list[tuple[_Scope, Record | Alert]], plan: Plan
) -> Iterator[Record | Alert]:
    if isinstance(rule, Record):
        yield rule
        return
    different = [
        (scope, each)
        for scope, each in theirs
        if isinstance(each, Alert) and _applies(scope, rule) and _differs(scope, each, rule, theirs)
    ]
    excluded = [scope.labels for scope, _ in different]
    yield _labelled(replace(rule, expression=promql.without(rule.expression, excluded)), plan)
    for scope, each in different:
        inner = [other for other in excluded if set(other) > set(scope.labels)]
        expression = promql.only(promql.without(each.expression, inner), scope.labels)
        # The series have these labels already. In the rule they tell it from everybody's.
        labels = (*each.labels, *scope.labels)
        yield _labelled(replace(each, expression=expression, labels=labels), plan)


def _applies(scope: _Scope, rule: Alert) -> bool:
    return set(scope.names) <= set(rule.level.labels)


def _differs(
    scope: _Scope, each: Alert, rule: Alert, theirs: list[tuple[_Scope, Record | Alert]]
) -> bool:
    """Whether it is unlike everybody's, or everybody's where its service is unlike them."""
    service = [other for outer, other in theirs if set(outer.labels) < set(scope.labels)]
    return each != rule or any(other != rule for other in service)


def _labelled(alert: Alert, plan: Plan) -> Alert:
    """Give an alert its team's label, which depends on its job."""
    if not plan.teams:
        return alert
    cases = [
        f'if eq $labels.job "{name}" }}}}{service.team}'
        for name, service in sorted(plan.services.items())
        if service.team and service.team != plan.team
    ]
    chosen = "{{ else ".join(cases)
    team = f"{{{{ {chosen}{{{{ else }}}}{plan.team}{{{{ end }}}}" if cases else plan.team
    return replace(alert, labels=(*alert.labels, ("team", team)))


def _scopes(plan: Plan) -> Iterator[_Scope]:
    for job, service in plan.services.items():
        key, labels = f"services.{job}", (("job", job),)
        if service.given:
            yield _Scope(
                key=key,
                labels=labels,
                numbers=service.numbers,
                base=plan.numbers,
                given=service.given,
            )
        for name, route in service.routes.items():
            yield _Scope(
                key=f"{key}.routes.{name}",
                labels=(*labels, ("http_route", name)),
                numbers=route.numbers,
                base=service.numbers,
                given=route.given,
            )


def _with(scope: _Scope, key: str) -> Numbers:
    """The numbers around a scope, with one of its own."""
    value = next(each for name, _, each in keyed(scope.numbers) if name == key)
    changed: Numbers = _replaced(scope.base, key.split("."), value)
    return changed


def _replaced(section: Any, path: list[str], value: float) -> Any:
    name, *rest = path
    inner = _replaced(getattr(section, name), rest, value) if rest else value
    return replace(section, **{name: inner})


def _recorded(groups: list[Group]) -> list[object]:
    intervals: list[object] = [group.interval for group in groups]
    records = [rule for group in groups for rule in group.rules if isinstance(rule, Record)]
    return [*intervals, *records]


def _alerts(groups: list[Group], scope: _Scope) -> list[Alert]:
    return [
        rule
        for group in groups
        for rule in group.rules
        if isinstance(rule, Alert) and _applies(scope, rule)
    ]
