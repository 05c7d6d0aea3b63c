"""On Ctrl-C the demo leaves a picture of itself, and who can't wait skips it."""

import signal
from pathlib import Path

import pytest

from stack.options import Options
from stack.signals import Stopped
from stack.snapshot import FILE, snapshot
from stack.up import watch
from tests.stack.running import eventually, free_ports, left_behind, listening, started

DEMO = "prometheus,jaeger,collector,redis,payments,orders,receipts,load"


class Watched:
    """A supervisor whose check is interrupted."""

    def __init__(self, stopped: Stopped) -> None:
        self._stopped = stopped

    def check(self) -> None:
        raise self._stopped


@pytest.mark.parametrize("by_hand", [True, False])
def test_only_somebody_at_the_keyboard_gets_one(by_hand: bool) -> None:
    drawn: list[bool] = []
    with pytest.raises(Stopped):
        watch(Watched(Stopped(by_hand=by_hand)), lambda: drawn.append(True))  # type: ignore[arg-type]
    assert drawn == [True] * by_hand


def test_without_a_demo_there_is_nothing_to_draw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot(Options(data=tmp_path), (), began=0)
    assert capsys.readouterr().out == ""


@pytest.mark.stack
@pytest.mark.slow
def test_ctrl_c_draws_the_incident_dashboard_while_all_still_runs(tmp_path: Path) -> None:
    ports = free_ports()
    with started(tmp_path, ports, "--only", DEMO, "--scale", "10") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=150) == 0
    page = tmp_path / "data" / FILE
    said = (tmp_path / "up.log").read_text()
    assert f"snapshot of the incident dashboard: {page}\n" in said
    assert said.index("snapshot of the") < said.index("stopping")
    assert "<h1>Incident</h1>" in page.read_text()
    assert not left_behind(tmp_path)
    assert not listening(ports)


@pytest.mark.stack
@pytest.mark.slow
def test_a_second_ctrl_c_skips_it_and_stops_in_order(tmp_path: Path) -> None:
    ports = free_ports()
    log = tmp_path / "up.log"
    with started(tmp_path, ports, "--only", DEMO, "--scale", "10") as process:
        process.send_signal(signal.SIGINT)
        eventually(lambda: "drawing what" in log.read_text(), explain=log.read_text)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=90) == 0
    assert not (tmp_path / "data" / FILE).exists()
    assert not left_behind(tmp_path)
    assert not listening(ports)
