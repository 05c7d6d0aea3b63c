"""The drill as the Incident dashboard shows it, in one page to keep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboards.snapshot import apart
from drill.demo import SERVICE
from drill.waiting import say
from instrumentation.contract import places, slo

if TYPE_CHECKING:
    from drill.performance import Stage

FILE: Final = Path(__file__).resolve().parent.parent / "var" / "drill" / "report.html"


def draw(stage: Stage, file: Path) -> None:
    """Draw the page, and say where it is, or in one line why there is none."""
    say("draw what the Incident dashboard shows of this drill")
    line = apart.draw(
        "incident",
        prometheus=stage.backends.prometheus.url,
        jaeger=stage.backends.jaeger.url,
        start=stage.ready,
        scrape=slo.SCRAPE_INTERVAL_SECONDS / stage.scale,
        given={places.JOB_VARIABLE: SERVICE},
        out=file,
    )
    say(f"  {line}")
