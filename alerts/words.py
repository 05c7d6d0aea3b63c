"""Numbers as a person reads them in an alert's text."""

from __future__ import annotations

from typing import Final

_UNITS: Final = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def span(seconds: float) -> str:
    """Spell a time: `span(600)` is `10 minutes`, `span(3600)` is `hour`, as in "the last hour"."""
    for unit, size in _UNITS:
        count = seconds / size
        if count == 1:
            return unit
        if count > 1 and count == int(count):
            return f"{count:g} {unit}s"
    return f"{seconds:g} seconds"


def percent(share: float) -> str:
    """Spell a share: `percent(0.01)` is `1%`, as Prometheus's humanizePercentage does."""
    return f"{share * 100:.4g}%"


def first(query: str, text: str, arguments: str = "$labels.job") -> str:
    """Say something of a query's first series, or nothing where it has none.

    Returns a template: `arguments` fill in each `%q` of the query, and in `text` the dot is the
    series.
    """
    asked = f"{{{{ with printf `{query}` {arguments} | query }}}}"
    return f"{asked}{{{{ with . | first }}}}{text}{{{{ end }}}}{{{{ end }}}}"
