"""Which names and labels programs expose, read from what their `/metrics` says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stack.binaries import binary
from tests.dashboards.reading import RECORDED, names, parsed

_TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
_VALUE = r'"(?:[^"\\]|\\.)*"'
# An exemplar has braces too, after the value.
_SAMPLE = re.compile(rf'^([A-Za-z_:][\w:]*)(?:\{{((?:[^"}}]|{_VALUE})*)\}})? \S', re.MULTILINE)
_LABEL = re.compile(rf"(\w+)={_VALUE}")
_ENDINGS = {
    "counter": ("", "_total"),
    "histogram": ("_bucket", "_count", "_sum"),
    "info": ("_info",),
}
ADDED = frozenset({"job", "instance", "deployment_environment_name"})
"""Labels that a scrape adds, and the one that Prometheus takes over from `target_info`."""
WRITTEN = RECORDED | {"ALERTS", "ALERTS_FOR_STATE", "up"}
"""Names that no program exposes: Prometheus writes them."""
UNTIL_LOST = {
    "otelcol_exporter_enqueue_failed_spans": "otelcol_exporter_sent_spans",
    "otelcol_exporter_enqueue_failed_metric_points": "otelcol_exporter_sent_metric_points",
    "otelcol_exporter_send_failed_metric_points": "otelcol_exporter_sent_metric_points",
}
"""Names that the collector keeps to itself until the first loss, which its queue on disk prevents,
and which of its names has the same labels."""


@dataclass(frozen=True)
class Exposed:
    """What running programs show.

    Args:
        known: the labels of each name in their `/metrics`.
        stored: names that Prometheus holds.
    """

    known: Mapping[str, set[str]]
    stored: set[str]

    def strange(self, expression: str) -> set[str]:
        """Names and labels of an expression that exist nowhere."""
        found, labels = set(), set()
        for name in names(expression):
            if name in WRITTEN:
                found |= {name} - self.stored
                continue
            like = UNTIL_LOST.get(name.removesuffix("_total"), name)
            real = [each for each in (like, twin(like)) if each in self.known]
            found |= set() if real else {name}
            labels |= set().union(*(self.known[each] for each in real))
        # What a rule writes has the labels that its rule says, which `test_rules` compares.
        return found or (mentioned(expression) - labels if labels else set())


def in_the_collector(name: str) -> bool:
    """Whether the program's own code knows a name that it does not expose yet."""
    return name.encode() in binary("otelcol").read_bytes()


def labels(pages: Iterable[str]) -> Mapping[str, set[str]]:
    """The labels of each name; none yet for a family that has only told its type."""
    found: dict[str, set[str]] = {}
    for page in pages:
        for family, kind in _TYPE.findall(page):
            for ending in _ENDINGS.get(kind, ("",)):
                found.setdefault(family + ending, set(ADDED))
        for name, inside in _SAMPLE.findall(page):
            found.setdefault(name, set(ADDED)).update(_LABEL.findall(inside))
    return found


def twin(name: str) -> str:
    """A counter's other spelling: the collector's are with or without `_total`."""
    return name.removesuffix("_total") if name.endswith("_total") else f"{name}_total"


def mentioned(expression: str) -> set[str]:
    """The labels that an expression matches, keeps or joins by; not the one that it makes."""
    matched = {each.name for selector in parsed(expression) for each in selector.matchers.matchers}
    listed = re.findall(r"\b(?:by|on) \(([^()]*)\)", expression)
    kept = {name.strip() for names in listed for name in names.split(",")}
    return (matched | kept) - {"nth", ""}
