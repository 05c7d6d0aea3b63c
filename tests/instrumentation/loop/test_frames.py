"""Looking at every thread's frames never stops the process."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from instrumentation.runtime.loop.frames import current_frames

LOOKS_WHILE_THREADS_BEGIN = """
import gc, threading, time
from instrumentation.runtime.loop.frames import current_frames

class Garbage:
    def __init__(self):
        self.itself = self

    def __del__(self):
        time.sleep(0.001)  # lets other threads run, as a file that is closed does

def begin_threads():
    while not over.is_set():
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()

over = threading.Event()
beginning = threading.Thread(target=begin_threads)
beginning.start()
gc.set_threshold(1)
for _ in range(200):
    Garbage()
    current_frames()
over.set()
beginning.join()
"""


@pytest.fixture
def collector() -> Iterator[None]:
    yield
    gc.enable()


def test_garbage_does_not_stop_the_process_while_its_threads_are_looked_at() -> None:
    command = [sys.executable, "-c", LOOKS_WHILE_THREADS_BEGIN]
    assert subprocess.run(command, timeout=60).returncode == 0


def test_each_thread_has_its_frame() -> None:
    assert current_frames()[threading.get_ident()].f_code.co_name == "current_frames"


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.usefixtures("collector")
def test_the_garbage_collector_is_left_as_it_was(enabled: bool) -> None:
    gc.enable() if enabled else gc.disable()
    current_frames()
    assert gc.isenabled() is enabled
