"""A drill that is interrupted cleans up."""

import signal
from pathlib import Path

import pytest

from tests.drill.running import drill
from tests.stack.running import eventually, left_behind

pytestmark = [pytest.mark.stack, pytest.mark.timeout(200)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drill_leaves_nothing(
    tmp_path: Path, temporary: Path, number: signal.Signals
) -> None:
    with drill(tmp_path / "drill.log", "--rows", "errors", temporary=temporary) as running:
        eventually(
            lambda: "all is well" in running.said,
            seconds=100,
            explain=lambda: running.said,
            unless=lambda: running.process.poll() is not None,
        )
        assert left_behind(temporary)
        running.process.send_signal(number)
        assert running.process.wait(timeout=60) == 130, running.said
    assert not left_behind(temporary)
    assert not list(temporary.iterdir())
    assert "Traceback" not in running.said
