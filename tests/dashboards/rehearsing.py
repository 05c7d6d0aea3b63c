"""What a rehearsal leaves behind: where it was played, and when each trouble was on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from dashboards.snapshot.prometheus import Series
from tests.dashboards.asking import Asker, Window
from tests.dashboards.signs import Sign

FILE = "rehearsal.json"


@dataclass
class Rehearsal:
    """A stack with a past and some troubles behind it.

    Args:
        ports: of its programs.
        scrape: seconds between two scrapes.
        windows: when each trouble was on.
        second: `instance` of the one that joined with a bad release.
        faults: names of those that the demo has.
        exposed: what `/metrics` of each program said at the end, by its port's name.
    """

    ports: Mapping[str, str]
    scrape: float
    windows: dict[str, Window] = field(default_factory=dict)
    second: str = ""
    faults: list[str] = field(default_factory=list)
    exposed: dict[str, str] = field(default_factory=dict, repr=False)

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}"

    @property
    def prometheus(self) -> Asker:
        return Asker(self.url("PROMETHEUS_PORT"), self.scrape)

    @property
    def ended(self) -> float:
        return max(window.ended for window in self.windows.values())

    def incident(self, title: str, window: str, nth: int = 0, **given: str) -> tuple[Series, ...]:
        """What a panel of the Incident dashboard says of a window, which is not nothing."""
        found = self.prometheus.panel("incident", title, nth, self.windows[window], given)
        assert found, f"{title} says nothing of {window}"
        return found

    def alert(self, name: str, window: str, nth: int) -> float:
        """Whether an alert of orders fires (0), or since when in milliseconds (1)."""
        (value,) = (
            each.last
            for each in self.incident("Which alerts fire, and since when?", window, nth)
            if each.labels["alertname"] == name
            and each.labels["job"] == "orders"
            and "http_route" not in each.labels
        )
        return value

    def level(self, sign: Sign, window: str) -> float:
        """How high the worst line of orders stood for half of the window; 0 without any line."""
        lines = self.prometheus.panel(
            "incident", sign.title, sign.nth, self.windows[window], {"job": "orders"}
        )
        return max((median(value for _, value in line.points) for line in lines), default=0)

    def write(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self)))


def read(folder: Path) -> Rehearsal | None:
    """The one that was played in a folder, if one was."""
    file = folder / FILE
    if not file.exists():
        return None
    found = json.loads(file.read_text())
    windows = {name: Window(**span) for name, span in found.pop("windows").items()}
    return Rehearsal(**found, windows=windows)
