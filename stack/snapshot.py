"""The demo as the Incident dashboard shows it, in one page that outlives the stack."""

import time
from collections.abc import Collection
from typing import Final

from dashboards.snapshot import apart
from instrumentation.contract import slo
from stack.console import say
from stack.options import Options
from stack.programs import Program

FILE: Final = "report.html"
_NEEDED: Final = frozenset({"prometheus", "jaeger", "orders"})
_LONGEST_SECONDS: Final = 1800
"""As much as the dashboard opens with: further back it would show less of what is at hand."""


def snapshot(options: Options, running: Collection[Program], began: float) -> None:
    """Draw the page while the backends still answer, where there is a demo to draw."""
    if not {program.name for program in running} >= _NEEDED:
        return
    say("drawing what the Incident dashboard shows; Ctrl-C again skips it")
    line = apart.draw(
        "incident",
        prometheus=f"http://{options.address('PROMETHEUS_PORT')}",
        jaeger=f"http://{options.address('JAEGER_QUERY_PORT')}",
        start=max(began, time.time() - _LONGEST_SECONDS),
        scrape=slo.SCRAPE_INTERVAL_SECONDS / options.scale,
        given={},
        out=options.data / FILE,
    )
    say(f"  {line}")
