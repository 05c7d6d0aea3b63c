"""Fails tests that block an event loop; the plugin loads this when it is asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import pytest

from instrumentation.runtime.loop import stack
from instrumentation.runtime.loop.stretch import Block
from instrumentation.runtime.loop.watchdog import watchdog
from instrumentation.settings import Settings

if TYPE_CHECKING:
    from instrumentation.telemetry import Telemetry

_MARK: Final = "may_block"


class Seen:
    """An observer of every event loop of the process, whoever runs it.

    Attributes:
        threshold: seconds.
        telemetry: none: it is told of everybody's blocks.
        blocks: those since the last `taken`.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.telemetry: Telemetry | None = None
        self._blocks: list[Block] = []

    def beat(self, late: float) -> None:
        """Nothing is made of the lag."""

    def blocked(self, block: Block) -> None:
        """Remember a block that has a line; a pause of the garbage collector is no test's doing."""
        if block.culprit is not None and not block.collecting:
            self._blocks.append(block)

    def collected(self, generation: int, pauses: Sequence[float]) -> None:
        """Nothing is made of pauses."""

    def stalled(self, seconds: float, reason: str) -> None:
        """A busy machine is no test's doing either."""

    def taken(self) -> list[Block]:
        """The blocks since this was last asked."""
        watchdog.report(everything=True)
        taken, self._blocks = self._blocks, []
        return taken


class FailOnBlocking:
    """The plugin's hooks while the option is given.

    Every loop is watched from the first step of what it is given to run to the last, however it is
    run: `asyncio.run` and `uvloop.run`, runners of plugins for asynchronous tests, a test client's
    own thread.
    """

    def __init__(self) -> None:
        threshold = Settings.from_env().blocking_threshold_seconds
        if not threshold:
            raise ValueError("INSTRUMENTATION_BLOCKING_THRESHOLD is 0, so nothing is watched")
        self._seen = Seen(threshold)
        self._restore: list[Callable[[], None]] = []
        self._hook(asyncio.Runner, "run", self._around)
        loops: list[type] = [asyncio.BaseEventLoop]
        if find_spec("uvloop") is not None:
            import uvloop

            loops.append(uvloop.Loop)
        for loop in loops:
            self._hook(loop, "run_until_complete", self._around)
            self._hook(loop, "run_forever", self._before)

    def pytest_unconfigure(self) -> None:
        """Leave no hook behind."""
        while self._restore:
            self._restore.pop()()
        watchdog.release(self._seen)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail the test if it blocked; one that fails by itself is told beside its own reason."""
        self._seen.taken()  # what fixtures did is not the test's
        try:
            result = yield
        except BaseException:
            self._tell_beside(item)
            raise
        blocks = self._seen.taken()
        if blocks and item.get_closest_marker(_MARK) is None:
            pytest.fail(_text(blocks), pytrace=False)
        return result

    def _tell_beside(self, item: pytest.Item) -> None:
        blocks = self._seen.taken()
        if blocks:
            item.add_report_section("call", "blocking", _text(blocks))

    def _around(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def run(self_: Any, main: Any, **options: Any) -> Any:
            if asyncio.iscoroutine(main):
                main = self._watched(main)
            return original(self_, main, **options)

        return run

    def _before(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def run_forever(loop: asyncio.AbstractEventLoop) -> None:
            loop.call_soon(watchdog.watch, self._seen)
            original(loop)

        return run_forever

    async def _watched(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run `main` with the heart counting from its first step to its last."""
        heart = watchdog.watch(self._seen)
        heart.resume()
        try:
            return await main
        finally:
            heart.pause()

    def _hook(
        self, cls: type, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]
    ) -> None:
        own = name in vars(cls)
        original = getattr(cls, name)
        setattr(cls, name, around(original))
        self._restore.append(lambda: setattr(cls, name, original) if own else delattr(cls, name))


def _text(blocks: list[Block]) -> str:
    lines = ["the event loop was blocked:"]
    for block in sorted(blocks, key=lambda block: -block.seconds):
        how = "burning CPU" if block.burnt() else "waiting"
        lines.append(f"\n{block.seconds * 1000:.0f} ms, {how}, at {block.label()}")
        lines.append(stack.text(block.stack))
    return "\n".join(lines)
