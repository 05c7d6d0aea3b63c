"""Builds: whole or not at all, once for parallel runs, and a failure names its log."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from stack import binaries
from stack.binaries import binary, build, cache
from stack.components import Component
from stack.environment import REPOSITORY
from stack.errors import StackError
from tests.stack.running import eventually


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(binaries, "go", lambda cache: Path("/bin/false"))
    return cache()


def component(name: str, script: str, programs: Mapping[str, str] | None = None) -> Component:
    """A component that a shell builds, for what compilers have no part in."""
    return Component(name, "1.0", programs or {name: name}, steps=(("sh", "-c", script),))


def test_a_built_program_is_kept_and_the_work_folder_is_not(own_cache: Path) -> None:
    part = component("tool", "echo hello > tool; touch rubbish")
    build([part])
    assert (own_cache / part.folder / "tool").read_text() == "hello\n"
    assert [path.name for path in (own_cache / part.folder).iterdir()] == ["tool"]
    assert not list(own_cache.glob(".build-*"))


def test_what_is_built_is_not_built_again(own_cache: Path, tmp_path: Path) -> None:
    part = component("tool", f"echo once >> {tmp_path}/count; touch tool")
    build([part])
    build([part])
    assert (tmp_path / "count").read_text() == "once\n"


def test_a_failure_names_component_reason_and_log_and_keeps_the_ones_before(
    own_cache: Path,
) -> None:
    good = component("good", "touch good")
    bad = component("bad", "touch bad; echo 'error: disk is full'; echo bye; exit 3")
    with pytest.raises(StackError) as caught:
        build([good, bad])
    log = own_cache / "log" / "bad.log"
    assert str(caught.value) == f"bad 1.0 could not be built: error: disk is full (log: {log})."
    assert (own_cache / good.folder).exists()
    assert not (own_cache / bad.folder).exists()
    assert not list(own_cache.glob(".build-*"))


def test_a_build_that_was_killed_leaves_nothing_once_the_next_one_ran(own_cache: Path) -> None:
    leftover = own_cache / ".build-killed"
    leftover.mkdir(parents=True)
    build([component("tool", "touch tool")])
    assert not leftover.exists()


PARALLEL = """
import sys
from pathlib import Path
from stack import binaries
from stack.components import Component
binaries.go = lambda cache: Path("/bin/false")
script = f"echo once >> {sys.argv[1]}/count; sleep 1; touch tool"
binaries.build([Component("tool", "1.0", {"tool": "tool"}, steps=(("sh", "-c", script),))])
"""


def test_two_runs_at_once_build_once(own_cache: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARALLEL, str(tmp_path)]
    runs = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) for _ in range(2)]
    said = b"".join(run.communicate(timeout=60)[0] for run in runs)
    assert [run.returncode for run in runs] == [0, 0]
    assert (tmp_path / "count").read_text() == "once\n"
    assert said.count(b"built after") == 1


STOPPED = """
import sys
from pathlib import Path
from stack import __main__ as command, binaries
from stack.components import Component
binaries.go = lambda cache: Path("/bin/false")
script = f"echo $$ > {sys.argv[1]}/pid; exec sleep 1000"
part = Component("tool", "1.0", {"tool": "tool"}, steps=(("sh", "-c", script),))
command.components = lambda: (part,)
sys.exit(command.main(["build"]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_stopped_takes_its_compiler_along(
    own_cache: Path, tmp_path: Path, number: signal.Signals
) -> None:
    run = subprocess.Popen([sys.executable, "-c", STOPPED, str(tmp_path)], cwd=REPOSITORY)
    pid = tmp_path / "pid"
    eventually(lambda: pid.exists() and pid.read_text().endswith("\n"))
    run.send_signal(number)
    assert run.wait(timeout=30) == 130
    assert not psutil.pid_exists(int(pid.read_text()))
    assert not list(own_cache.glob(".build-*"))


def test_an_unknown_program_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="one of otelcol, jaeger, prometheus, promtool"):
        binary("grafana")


def test_a_folder_of_prebuilt_programs_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STACK_BINARIES", str(tmp_path))
    assert binary("promtool") == tmp_path / "promtool"
