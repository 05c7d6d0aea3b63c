"""Gives a Prometheus the past that long windows read, as if it had run for weeks.

Recorded series are there for as long as a rule looks back at them, as often as they are recorded.
Of the raw series there are those that a window of more than some minutes reads: the counts, and
single buckets.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from instrumentation.contract import promql, recorded
from instrumentation.contract.buckets import DENSE
from instrumentation.contract.metrics import HTTP_SERVER_REQUEST_DURATION
from stack.history.blocks import Blocks
from stack.history.series import ENVIRONMENT as ENVIRONMENT_LABEL
from stack.history.series import spell
from stack.rule_cost.fleet import AT_MOST, ENVIRONMENT, ROUTES, STATUSES, STEP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stack.rule_cost.fleet import Fleet
    from stack.rule_cost.reads import Rules, Span

_BUCKETS: Final = f"{HTTP_SERVER_REQUEST_DURATION.name}_bucket"
_COUNT: Final = f"{HTTP_SERVER_REQUEST_DURATION.name}_count"
_BOUNDS: Final = (*(promql.bound(bound) for bound in DENSE), "+Inf")
_KNOWN: Final = {"job", ENVIRONMENT_LABEL, "http_route", "le"}
"""Labels that the fleet's series have; what is recorded of other metrics has no past here."""
_MEASUREMENT_SECONDS: Final = 900
"""For so long, what was recorded weeks ago goes on."""
_QUANTILE_SECONDS: Final = 0.03
_TAIL: Final = 1.5


def steps_fed(rules: Rules) -> int:
    """How many steps of all buckets the rules' windows hold, and one more to begin with."""
    longest = max((read.span.begin for read in rules.of(_BUCKETS) if not read.le), default=0)
    return int(longest) // STEP_SECONDS + 1


def write(folder: Path, fleet: Fleet, rules: Rules, until: int) -> int:
    """Write everything before `until`, a Unix time, as blocks; return how many samples it is."""
    folder.mkdir()
    with Blocks(folder) as blocks:
        for at, lines in samples(fleet, rules, until):
            blocks.write(at, lines)
    return blocks.samples


def samples(fleet: Fleet, rules: Rules, until: int) -> Iterator[tuple[int, Iterator[str]]]:
    """Yield moments, the earliest first, each with the text of its samples."""
    moments = _recorded(fleet, rules, until)
    raw, counted = _raw_times(rules, until), list(_counters(fleet, rules))
    for at in sorted({*moments, *raw}):
        stamp = f" {at}\n"
        yield at, (line + stamp for lines in moments[at] for line in lines)
        if at in raw:
            steps = raw.index(at)
            yield at, (f"{series} {each * steps}{stamp}" for series, each in counted)


def value(name: str, rate: float) -> float:
    """What a healthy service records under a name, at so many requests a second."""
    operations = name.partition(":")[2]
    if "errors" in operations or "slow" in operations or "responses" in operations:
        return 0
    if "tail" in operations:
        return _TAIL
    return rate if "rate" in operations else _QUANTILE_SECONDS


def _recorded(fleet: Fleet, rules: Rules, until: int) -> dict[int, list[list[str]]]:
    """Return the samples, but for their time, of each moment; many moments share one list."""
    moments: dict[int, list[list[str]]] = defaultdict(list)
    for series in recorded.series():
        if set(series.labels) <= _KNOWN and series.name in rules.intervals:
            lines = list(_lines(series.name, series.labels, fleet))
            for at in _times(rules.spans(series.name), int(rules.intervals[series.name]), until):
                moments[at].append(lines)
    return moments


def _times(spans: list[Span], step: int, until: int) -> set[int]:
    """Return the moments at which a series was recorded, within what is read of it."""
    found: set[int] = set()
    for span in spans:
        begin = -(-(until - int(span.begin)) // step) * step
        end = min(until, until - int(span.end) + _MEASUREMENT_SECONDS)
        found.update(range(begin, end, step))
    return found


def _lines(name: str, labels: tuple[str, ...], fleet: Fleet) -> Iterator[str]:
    for job, instances in fleet.services.items():
        for route in ROUTES if "http_route" in labels else ("",):
            requests = instances * (1 if route else len(ROUTES)) / STEP_SECONDS
            for place, le in enumerate(_BOUNDS) if "le" in labels else [(-1, "")]:
                carried = {
                    "job": job, ENVIRONMENT_LABEL: ENVIRONMENT, "http_route": route, "le": le,
                }  # fmt: skip
                yield f"{spell(name, carried)} {value(name, AT_MOST[place] * requests):.9g}"


def _raw_times(rules: Rules, until: int) -> range:
    reads = [*rules.of(_COUNT), *(read for read in rules.of(_BUCKETS) if read.le)]
    longest = max((int(read.span.begin) for read in reads), default=0)
    return range(until - longest // STEP_SECONDS * STEP_SECONDS, until, STEP_SECONDS)


def _counters(fleet: Fleet, rules: Rules) -> Iterator[tuple[str, int]]:
    """Yield the counts and the single buckets that are read, and what a step adds to each."""
    bounds = sorted({read.le for read in rules.of(_BUCKETS) if read.le})
    chosen = [(_COUNT, "", -1), *((_BUCKETS, le, _BOUNDS.index(le)) for le in bounds)]
    for instance in range(fleet.instances):
        for route in ROUTES:
            for status in STATUSES:
                labels = {
                    "job": fleet.service(instance),
                    "instance": str(instance),
                    ENVIRONMENT_LABEL: ENVIRONMENT,
                    "http_route": route,
                    "http_response_status_code": status,
                }
                for name, le, place in chosen:
                    each = AT_MOST[place] if status == STATUSES[0] else 0
                    yield spell(name, {**labels, "le": le}), each
