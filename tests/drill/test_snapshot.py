"""The drill's page, where it can't be drawn."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from drill import snapshot
from drill.demo import Demo
from drill.evidence import Backends
from drill.jaeger import Jaeger
from drill.performance import Stage
from drill.prometheus import Prometheus
from drill.receiver import Receiver
from drill.waiting import Waiter

NOWHERE = "http://127.0.0.1:9"


def test_a_page_that_can_not_be_drawn_is_told_in_a_line_and_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        Receiver(tmp_path / "log") as receiver,
        closing(Demo(NOWHERE, NOWHERE)) as demo,
        closing(Prometheus(NOWHERE)) as prometheus,
        closing(Jaeger(NOWHERE)) as jaeger,
    ):
        stage = Stage(
            demo=demo,
            backends=Backends(prometheus, jaeger),
            receiver=receiver,
            waiter=Waiter(lambda: None),
            scale=10,
            ready=1_000_000,
        )
        snapshot.draw(stage, tmp_path / "report.html")
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"  no snapshot: Prometheus at {NOWHERE} does not answer: ")
