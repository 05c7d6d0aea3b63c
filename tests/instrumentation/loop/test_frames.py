"""Looking at other threads' frames never stops the process, and never ends it."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from instrumentation.runtime.loop.frames import uncollected

GARBAGE = """
import gc, threading, time
from instrumentation.runtime.loop.stack import callback

class Garbage:
    def __init__(self):
        self.itself = self

    def __del__(self):
        time.sleep(0.001)  # lets other threads run, as a file that is closed does

over = threading.Event()
"""

LOOKS_WHILE_THREADS_BEGIN = """
def begin_threads():
    while not over.is_set():
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()

beginning = threading.Thread(target=begin_threads)
beginning.start()
gc.set_threshold(1)
for _ in range(200):
    Garbage()
    callback(threading.get_ident(), 0)
over.set()
beginning.join()
"""

LOOKS_WHILE_FRAMES_ARE_LEFT = """
def deep(levels):
    if levels % 3:
        return deep(levels - 1)
    return list(generated(levels - 1)) if levels else []

def generated(levels):
    yield deep(levels)

def come_and_go():
    levels = 0
    while not over.is_set():
        levels = (levels + 37) % 300
        deep(levels)

coming = threading.Thread(target=come_and_go)
coming.start()
gc.set_threshold(5)
for _ in range(1000):
    Garbage()
    callback(coming.ident, 0)
over.set()
coming.join()
"""


@pytest.fixture
def collector() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("script", [LOOKS_WHILE_THREADS_BEGIN, LOOKS_WHILE_FRAMES_ARE_LEFT])
def test_garbage_does_not_end_the_process_while_its_threads_are_looked_at(script: str) -> None:
    assert subprocess.run([sys.executable, "-c", GARBAGE + script], timeout=60).returncode == 0


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.usefixtures("collector")
def test_the_garbage_collector_is_left_as_it_was(enabled: bool) -> None:
    gc.enable() if enabled else gc.disable()
    with uncollected():
        assert not (gc.isenabled() and sys.version_info < (3, 12))
    assert gc.isenabled() is enabled
