"""Where to look once everything runs."""

from collections.abc import Collection, Mapping

from stack.console import say

# program, what it shows, variable of its port, path
PAGES = (
    ("grafana", "dashboards (Grafana)", "GRAFANA_PORT", "/"),
    ("orders", "the demo's API", "DEMO_PORT", "/docs"),
    ("jaeger", "traces (Jaeger)", "JAEGER_QUERY_PORT", "/"),
    ("prometheus", "metrics (Prometheus)", "PROMETHEUS_PORT", "/"),
    ("alertmanager", "alerts (Alertmanager)", "ALERTMANAGER_PORT", "/"),
    ("load", "load on the demo", "LOAD_PORT", "/factor"),
)


def announce(running: Collection[str], ports: Mapping[str, str]) -> None:
    """Print the address of every page that a running program serves."""
    say("")
    for program, what, port, path in PAGES:
        if program in running:
            say(f"  {what:22} http://127.0.0.1:{ports[port]}{path}")
    say("")
