"""`make pictures`: break the demo in three ways, and take the docs' pictures from its snapshots."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from dashboards.__main__ import main as dashboards
from dashboards.snapshot.browser import executable
from dashboards.snapshot.errors import SnapshotError
from drill.demo import SERVICE, Demo
from drill.errors import DrillError, MissedError
from drill.prometheus import Prometheus
from drill.receiver import Receiver
from drill.stack import Stack
from drill.waiting import Waiter, say
from instrumentation.contract import slo

FOLDER = Path("docs/pictures")
FAULTS = ("blocked_loop", "slow_dependency", "errors")
PAGES = {"HighErrorRatio", "HighTailLatency"}
"""That must have come before a picture is worth taking."""
SCALE = 10.0
HEALTHY_SECONDS = 120.0
PATIENCE_SECONDS = 240.0
AFTERMATH_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Which part of which dashboard, as whom it is shown to."""

    name: str
    board: str
    begin: str = ""
    until: str = ""
    width: int = 1280
    dark: bool = False
    weeks: bool = False


PICTURES = (
    Picture(name="incident", board="incident", until="Who is hit, and what changed?"),
    Picture(name="phone", board="incident", until="Is it us?", width=390, dark=True),
    Picture(
        name="runtime", board="runtime", begin="Event loop", until="Garbage collector and memory"
    ),
    Picture(name="trend", board="trend", begin="Week by week", weeks=True),
)


def main() -> int:
    """Take them; return the exit status."""
    try:
        # Rather now than after six minutes.
        executable()
        with ExitStack() as until_the_end:
            _take(until_the_end)
    except (DrillError, MissedError, SnapshotError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _take(until_the_end: ExitStack) -> None:
    enter = until_the_end.enter_context
    folder = Path(enter(tempfile.TemporaryDirectory(prefix="pictures-")))
    (folder / "log").mkdir()
    receiver = enter(Receiver(folder / "log" / "notifications.jsonl"))
    stack = enter(Stack(folder, SCALE, receiver.url, past=True))
    demo = enter(closing(Demo(stack.url("DEMO_PORT"), stack.url("LOAD_PORT"))))
    prometheus = enter(closing(Prometheus(stack.url("PROMETHEUS_PORT"))))
    waiter = Waiter(stack.check)
    start = time.time()
    waiter.during("a healthy past", stack.check, HEALTHY_SECONDS)
    for fault in FAULTS:
        demo.switch_fault(fault, True)
    waiter.until(" and ".join(sorted(PAGES)), lambda: _paged(prometheus) or None, PATIENCE_SECONDS)
    waiter.during("what comes of it", stack.check, AFTERMATH_SECONDS)
    end = time.time()
    FOLDER.mkdir(exist_ok=True)
    for picture in PICTURES:
        _draw(picture, stack, start, end, folder)


def _paged(prometheus: Prometheus) -> bool:
    return {each.name for each in prometheus.firing() if each.labels.get("job") == SERVICE} >= PAGES


def _draw(picture: Picture, stack: Stack, start: float, end: float, folder: Path) -> None:
    page, out = folder / f"{picture.name}.html", FOLDER / f"{picture.name}.png"
    urls = [
        "--prometheus",
        stack.url("PROMETHEUS_PORT"),
        "--jaeger",
        stack.url("JAEGER_QUERY_PORT"),
    ]
    since = [] if picture.weeks else ["--from", f"{start:.0f}"]
    scrape = ["--scrape", f"{slo.SCRAPE_INTERVAL_SECONDS / SCALE:g}"]
    when = [*since, "--to", f"{end:.0f}", *scrape]
    made = dashboards(["snapshot", picture.board, *urls, *when, "--out", str(page)])
    begin = ["--begin", picture.begin] if picture.begin else []
    until = ["--until", picture.until] if picture.until else []
    shape = ["--width", f"{picture.width}", *(["--dark"] if picture.dark else [])]
    if made or dashboards(["picture", str(page), "--out", str(out), *begin, *until, *shape]):
        raise SnapshotError(f"{out} was not taken")
    say(f"{out}: {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
