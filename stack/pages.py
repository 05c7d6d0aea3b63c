"""Where to look once everything runs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from stack.console import say


@dataclass(frozen=True)
class Page:
    """An address worth opening.

    Args:
        program: who serves it.
        shows: what is seen there.
        port: variable of its port.
        path: where the page is in the program's image.
        native: where the native build, which has no front end of its own, answers something.
    """

    program: str
    shows: str
    port: str
    path: str
    native: str


PAGES = (
    Page("grafana", "dashboards (Grafana)", "GRAFANA_PORT", "/", "/"),
    Page("orders", "the demo's API", "DEMO_PORT", "/docs", "/docs"),
    Page("jaeger", "traces (Jaeger)", "JAEGER_QUERY_PORT", "/", "/api/v3/services"),
    Page("prometheus", "metrics (Prometheus)", "PROMETHEUS_PORT", "/", "/api/v1/alerts"),
    Page("alertmanager", "alerts (Alertmanager)", "ALERTMANAGER_PORT", "/", "/"),
    Page("receiver", "pages and tickets", "RECEIVER_PORT", "/", "/"),
    Page("load", "load on the demo", "LOAD_PORT", "/factor", "/factor"),
)


def announce(running: Collection[str], ports: Mapping[str, str], *, native: bool) -> None:
    """Print the address of every page that a running program serves."""
    say("")
    for page in PAGES:
        if page.program in running:
            path = page.native if native else page.path
            say(f"  {page.shows:22} http://127.0.0.1:{ports[page.port]}{path}")
    say("")
