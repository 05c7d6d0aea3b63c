"""`python -m benchmarks.bytecodes VARIANT COUNT ROUTERS`: bytecodes of observing one request.

They are counted in the modules that observe, in the thread that serves. Unlike a time, the count is
the same on a busy machine as on a quiet one. The loop's heartbeat is left out: it comes by the
second, and tracing makes seconds long.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from statistics import mean
from types import FrameType
from typing import Any, Final

import uvloop

from benchmarks.profile import module_of
from benchmarks.requests import ask
from benchmarks.variants import build, path

_WARM_UP: Final = 50
_HEART: Final = (
    "runtime/loop/heart.py",
    "runtime/loop/usage.py",
    "runtime/loop/stretch.py",
)


class Bytecodes:
    """Counts while it is entered."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Bytecodes:
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        if not _observes(frame.f_code.co_filename):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._ran

    def _ran(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        self.count += event == "opcode"
        return self._ran


@cache
def _observes(file: str) -> bool:
    module = module_of(file)
    return module is not None and not module.endswith(_HEART)


async def measure(variant: str, count: int, routers: int) -> list[int]:
    """The bytecodes of each of `count` requests to the last router."""
    app, _flush = build(variant, routers)
    target = path(routers)
    await ask(app, target, _WARM_UP)
    found = []
    for _ in range(count):
        with Bytecodes() as counted:
            await ask(app, target, 1)
        found.append(counted.count)
    return found


def main() -> None:
    """Count, and print the result as JSON."""
    variant, count, routers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    found = uvloop.run(measure(variant, count, routers))
    sys.stdout.write(json.dumps({"mean": mean(found)}))


if __name__ == "__main__":
    main()
