"""The one task factory: it changes nothing for the application, and can be taken away."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import Iterator
from contextvars import Context, ContextVar, copy_context
from typing import Any

import anyio
import pytest
import uvloop

from instrumentation.context import EXCLUDED, in_request
from instrumentation.runtime import tasks

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
variable: ContextVar[str] = ContextVar("variable", default="")


class Seen:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.coroutines: list[str] = []
        self.tasks: list[Any] = []

    def __call__(self, coro: Any, context: Context, given: bool) -> Any:
        self.coroutines.append(coro.__qualname__.rpartition(".")[2])
        return self.tasks.append


async def work() -> str:
    return variable.get()


@pytest.fixture(autouse=True)
def in_a_request() -> Iterator[None]:
    token = in_request.set(EXCLUDED)
    yield
    in_request.reset(token)


def test_a_task_outside_of_any_request_is_not_shown(runner: asyncio.Runner) -> None:
    """A server makes one for each request, before there is any."""
    seen = Seen()

    async def main() -> None:
        in_request.set(None)
        tasks.observe(asyncio.get_running_loop(), seen)
        await asyncio.create_task(work())
        await asyncio.create_task(work(), context=Context())
        in_request.set(EXCLUDED)
        await asyncio.create_task(asyncio.sleep(0))

    runner.run(main())
    assert seen.coroutines == ["sleep"]


@pytest.fixture(params=LOOPS)
def runner(request: pytest.FixtureRequest) -> Any:
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
        yield runner


def test_every_observer_sees_every_task_before_and_after(runner: asyncio.Runner) -> None:
    first, second = Seen(), Seen()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        tasks.observe(loop, first)
        tasks.observe(loop, second)
        task = asyncio.create_task(work(), name="mine")
        await task
        assert task.get_name() == "mine"
        assert first.tasks == second.tasks == [task]

    runner.run(main())
    assert first.coroutines[0] == second.coroutines[0] == "work"


def test_what_an_observer_puts_into_the_context_is_the_task_s_alone(
    runner: asyncio.Runner,
) -> None:
    def put(coro: Any, context: Context, given: bool) -> None:
        if not given:
            context.run(variable.set, "observed")

    async def main() -> None:
        tasks.observe(asyncio.get_running_loop(), put)
        assert await asyncio.create_task(work()) == "observed"
        assert variable.get() == ""
        given = copy_context()
        given.run(variable.set, "given")
        assert await asyncio.create_task(work(), context=given) == "given"

    runner.run(main())


def with_context(loop: Any, coro: Any, **kwargs: Any) -> Any:
    return Mine(coro, loop=loop, **kwargs)


class Mine(asyncio.tasks._PyTask):  # type: ignore[name-defined,misc]
    """A task class of the application's."""

    mine = True


def test_a_factory_of_the_application_s_stays_in_force(runner: asyncio.Runner) -> None:
    seen = Seen()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(with_context)
        tasks.observe(loop, seen)
        variable.set("inherited")
        task: Any = asyncio.create_task(work())
        assert await task == "inherited"
        assert task.mine
        tasks.forget(loop, seen)
        assert loop.get_task_factory() is with_context

    runner.run(main())
    assert seen.coroutines == ["work"]


def test_a_factory_that_knows_no_context_stays_in_force() -> None:
    """uvloop gives every factory one; asyncio only where the caller does."""

    class Task(asyncio.tasks._PyTask):  # type: ignore[name-defined,misc]
        pass

    def factory(loop: Any, coro: Any) -> Any:
        return Task(coro, loop=loop)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory)
        tasks.observe(loop, Seen())
        variable.set("inherited")
        task = asyncio.create_task(work())
        assert isinstance(task, Task)
        assert await task == "inherited"

    asyncio.run(main())


def test_a_factory_that_comes_later_and_chains_ours_shows_no_task_twice(
    runner: asyncio.Runner,
) -> None:
    seen = Seen()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        tasks.observe(loop, seen)
        ours: Any = loop.get_task_factory()

        def later(loop: Any, coro: Any, **kwargs: Any) -> Any:
            return ours(loop, coro, **kwargs)

        loop.set_task_factory(later)
        tasks.observe(loop, seen)
        await asyncio.create_task(work())
        tasks.forget(loop, seen)
        assert loop.get_task_factory() is later
        await asyncio.create_task(work())

    runner.run(main())
    assert seen.coroutines == ["work"]


def test_the_last_observer_gone_restores_the_loop(runner: asyncio.Runner) -> None:
    first, second = Seen(), Seen()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for seen in (first, second):
            tasks.observe(loop, seen)
        tasks.forget(loop, first)
        await asyncio.create_task(work())
        tasks.forget(loop, second)
        assert loop.get_task_factory() is None

    runner.run(main())
    assert (first.coroutines, second.coroutines) == ([], ["work"])


def test_a_task_says_who_asked_for_it_as_it_does_without_us(runner: asyncio.Runner) -> None:
    def origins() -> list[list[tuple[str, int]]]:
        loop = asyncio.get_running_loop()
        made = [asyncio.create_task(work()), loop.create_task(work())]
        return [[(at.filename, at.lineno) for at in task._source_traceback] for task in made]  # type: ignore[attr-defined]

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        found = []
        for seen in (None, Seen()):
            if seen is not None:
                tasks.observe(loop, seen)
            found.append(origins())
        assert found[0] == found[1]

    runner.run(main())


def test_a_loop_that_was_observed_is_not_kept_alive() -> None:
    loop = asyncio.new_event_loop()
    tasks.observe(loop, Seen())
    loop.close()
    reference = weakref.ref(loop)
    del loop
    gc.collect()
    assert reference() is None


if sys.version_info >= (3, 12):

    def test_an_eager_factory_stays_eager_for_asyncio_and_as_anyio_wants_it_for_anyio() -> None:
        seen = Seen()

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_task_factory(asyncio.eager_task_factory)
            tasks.observe(loop, seen)
            task = asyncio.create_task(work())
            assert task.done()
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep, 0)
            tasks.forget(loop, seen)
            assert loop.get_task_factory() is asyncio.eager_task_factory

        asyncio.run(main())
        assert seen.coroutines[0] == "work"
        assert len(seen.coroutines) == 2
