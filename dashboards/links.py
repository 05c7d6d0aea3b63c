"""Where a click leads: from a service to its routes, from a route to its traces.

Each link keeps the time range. Grafana fills in `${...}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from instrumentation.contract import places

TAG: Final = "fastapi-observability"
"""All dashboards have it: the list on top of each shows the others."""

_KEPT: Final = "${__url_time_range}&var-datasource=${datasource}"
_JAEGER: Final = f"${{{places.JAEGER_VARIABLE}:raw}}"


@dataclass(frozen=True, slots=True)
class Link:
    """A title and an address."""

    title: str
    url: str


def line(label: str) -> str:
    """A label of the line that is clicked, in a graph."""
    return f"${{__field.labels.{label}}}"


def cell(heading: str) -> str:
    """What another column holds in the line that is clicked, in a table."""
    return f'${{__data.fields["{heading}"]}}'


def to_board(uid: str, title: str, **variables: str) -> Link:
    """Open a dashboard with these variables."""
    chosen = "&".join(f"var-{name}={value}" for name, value in variables.items())
    return Link(title, f"/d/{uid}?{chosen}&{_KEPT}")


def to_traces(job: str, route: str = "", *, failed: bool = False, slower: str = "") -> Link:
    """Search in Jaeger for a service's traces of the range.

    Args:
        job: the service, or what Grafana fills in for it.
        route: only those of this route.
        failed: only those with an error.
        slower: only those of at least this duration, such as `500ms`.
    """
    tags = [f'"http.route":"{route}"'] if route else []
    tags += ['"error":"true"'] if failed else []
    search = f"{_JAEGER}/search?service={job}&lookback=custom"
    # Grafana's times are in milliseconds, Jaeger's in microseconds.
    search += "&start=${__from}000&end=${__to}000"
    search += f"&tags={{{','.join(tags)}}}" if tags else ""
    search += f"&minDuration={slower}" if slower else ""
    words = "slow traces" if slower else "failed traces" if failed else "traces"
    return Link(f"Show {words}", search)
