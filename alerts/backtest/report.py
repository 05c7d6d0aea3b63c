"""The result as a table, in the terminal and in the documentation."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from alerts.backtest.catalog import DEADLINES
from commandline import pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from alerts.backtest.draw import Range
    from alerts.backtest.verdict import Pair, Verdict

Judged = list["Pair"]

_LIMIT: Final = (
    "Not asked of the rules, for chance forbids it: to be sure of a loss of 25 % of fewer than "
    "3,200 requests in 30 minutes; of 3,200 they page 98 % in time, of 800 they page 84 %."
)
_BEGIN: Final = "<!-- results -->"
_END: Final = "<!-- end of results -->"


def table(judged: Judged) -> str:
    """Return Markdown tables of incidents and of harmless days, and a summary."""
    by_name: dict[str, Judged] = defaultdict(list)
    for pair in judged:
        by_name[pair[0].case.scenario.name].append(pair)
    rows = sorted(by_name.values(), key=lambda pairs: pairs[0][0].case.scenario.name)
    incidents = [pairs for pairs in rows if pairs[0][0].case.incident]
    harmless = [pairs for pairs in rows if not pairs[0][0].case.incident]
    return "\n".join(
        (
            _summary(incidents, harmless),
            *(f"- wrong: {ours.name}" for ours, _ in judged if ours.fault),
            "",
            _LIMIT,
            "",
            "| class | due within, min | median, most | paged in time | naive: in time |",
            "|---|---|---|---|---|",
            *_classes(incidents),
            "",
            "| incident | class | minutes to the page: median, most | in time | naive: in time |",
            "|---|---|---|---|---|",
            *(_incident(pairs) for pairs in incidents),
            "",
            "| harmless | without a page | naive: without an alarm |",
            "|---|---|---|",
            *(_harmless(pairs) for pairs in harmless),
            "",
        )
    )


def page(judged: Judged, text: str) -> str:
    """Return a page whose tables are replaced by these results.

    Raises ValueError where the page has no place for them.
    """
    before, after = around(text)
    return f"{before}\n\n{table(judged)}\n{_ranges(judged)}\n{after}"


def around(text: str) -> tuple[str, str]:
    """Return what stands before and after a page's tables, the marks included.

    Raises ValueError where the page has no place for them.
    """
    return pages.around(text, _BEGIN, _END)


def _summary(incidents: list[Judged], harmless: list[Judged]) -> str:
    def right(rows: list[Judged], which: int) -> str:
        cases = [pair[which] for pairs in rows for pair in pairs]
        return f"{sum(not case.fault for case in cases)} of {len(cases)}"

    whole = [*incidents, *harmless]
    seeds = sorted({pair[0].case.seed for pairs in whole for pair in pairs})
    told = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    return (
        f"{len(whole)} scenarios with {told}. "
        f"Incidents paged in time: {right(incidents, 0)}; by the naive formulas: "
        f"{right(incidents, 1)}. Harmless days without a page: {right(harmless, 0)}; without an "
        f"alarm of the naive formulas: {right(harmless, 1)}."
    )


def _classes(incidents: list[Judged]) -> Iterator[str]:
    for kind, due in DEADLINES.items():
        alike = [
            pair
            for pairs in incidents
            for pair in pairs
            if pair[0].case.incident and pair[0].case.incident.kind == kind
        ]
        if alike:
            yield (
                f"| {kind} | {due} | {_times(alike)} | {_right(ours for ours, _ in alike)} | "
                f"{_right(naive for _, naive in alike)} |"
            )


def _times(pairs: Judged) -> str:
    minutes = sorted(ours.minutes for ours, _ in pairs if ours.minutes is not None)
    return f"{minutes[len(minutes) // 2]:.0f}, {minutes[-1]:.0f}" if minutes else "–"


def _incident(pairs: Judged) -> str:
    case = pairs[0][0].case
    kind = case.incident.kind if case.incident else "outage"
    return (
        f"| {case.scenario.story} | {kind}, {DEADLINES[kind]} | {_times(pairs)} | "
        f"{_right(ours for ours, _ in pairs)} | {_right(naive for _, naive in pairs)} |"
    )


def _harmless(pairs: Judged) -> str:
    return (
        f"| {pairs[0][0].case.scenario.story} | {_right(ours for ours, _ in pairs)} | "
        f"{_right(naive for _, naive in pairs)} |"
    )


def _right(verdicts: Iterable[Verdict]) -> str:
    faults = [verdict.fault for verdict in verdicts]
    return f"{sum(not fault for fault in faults)} of {len(faults)}"


def _ranges(judged: Judged) -> str:
    drawn = {ours.case.scenario.story: ours.case.ranges for ours, _ in judged}
    lines = ["| scenario | drawn from |", "|---|---|"]
    lines += [
        f"| {story} | {_spelled(ranges.items())} |" for story, ranges in sorted(drawn.items())
    ]
    return "\n".join([*lines, ""])


def _spelled(ranges: Iterable[tuple[str, Range]]) -> str:
    return "; ".join(f"{what}: {low:g} to {high:g}" for what, (low, high) in ranges)
