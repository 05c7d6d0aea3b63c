"""Work that a request starts beside itself: `asyncio.create_task` and its relatives."""

from __future__ import annotations

import asyncio
import sys
import weakref
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Coroutine, Iterable
from contextvars import Context
from functools import partial
from types import CodeType, FrameType
from typing import Any, Final

from opentelemetry import context as otel
from opentelemetry import trace

from instrumentation.afterwards import later
from instrumentation.background.names import attributes_of_coroutine, label
from instrumentation.background.work import COLLECTED, SHUTDOWN, Background, Work, guarded
from instrumentation.context import Excluded, Request, in_request
from instrumentation.own_code import is_own
from instrumentation.runtime import tasks


def _codes(*functions: Any) -> frozenset[CodeType]:
    return frozenset(function.__code__ for function in functions if function is not None)


_ASKED_BY: Final = _codes(
    asyncio.create_task,
    asyncio.ensure_future,
    getattr(asyncio.tasks, "_ensure_future", None),
    asyncio.BaseEventLoop.create_task,
    asyncio.TaskGroup.create_task,
    getattr(asyncio, "eager_task_factory", None),
    *tasks.FRAMES,
)
"""What lies between a task and whoever asked for it."""

_FROM_A_THREAD: Final = frozenset(
    code
    for code in asyncio.run_coroutine_threadsafe.__code__.co_consts
    if isinstance(code, CodeType)
)
"""What asks, on the loop, for a task that another thread wants."""


class CreatedTasks:
    """Observes the tasks that the application's own code creates in a request.

    A request has many tasks that are no work of its own: middlewares, servers and clients run
    on them, and `gather`, `wait_for` or anyio's task groups make some that end before they
    return. A task is background work where the application's code asked for it by `create_task`,
    `ensure_future` or `run_coroutine_threadsafe`, with a coroutine of its own.

    Arguments:
        background: whose work it is.
        packages: names the application's top-level packages, when they are first needed.
    """

    def __init__(self, background: Background, packages: Callable[[], Iterable[str]]) -> None:
        self._background = background
        self._telemetry = background.telemetry
        self._find_packages = packages
        self._packages: frozenset[str] | None = None
        self._loops: weakref.WeakSet[AbstractEventLoop] = weakref.WeakSet()

    def observe(self, loop: AbstractEventLoop) -> None:
        """Observe the tasks of `loop` from now on."""
        self._loops.add(loop)
        tasks.observe(loop, self.see)

    def forget(self) -> None:
        """Leave every loop as it was."""
        for loop in tuple(self._loops):
            tasks.forget(loop, self.see)

    def see(
        self, coro: Coroutine[Any, Any, Any], context: Context, given: bool
    ) -> Callable[[Future[Any]], None] | None:
        """See a task that is about to be made."""
        request = context.get(in_request)
        if request is None or isinstance(request, Excluded):
            return None
        if request.telemetry is not self._telemetry:
            return None
        try:
            if not self._is_background(coro):
                return None
        except Exception as error:
            self._background.report(error)
            return None
        work = guarded(self._background, partial(self._start, coro, context, given, request))
        return None if work is None else work.follow

    def _is_background(self, coro: Coroutine[Any, Any, Any]) -> bool:
        code = getattr(coro, "cr_code", None)
        frame = _asker()
        if code is None or frame is None:
            return False
        if frame.f_code not in _FROM_A_THREAD and not self._is_own(frame):
            return False
        # A decorator's wrapper has the name of the function that it wraps, and code of its own.
        return coro.__qualname__ != code.co_qualname or self._is_own(coro.cr_frame)  # type: ignore[attr-defined]

    def _is_own(self, frame: FrameType | None) -> bool:
        if frame is None:
            return False
        if self._packages is None:
            self._packages = frozenset(self._find_packages())
        module = str(frame.f_globals.get("__name__", ""))
        return is_own(frame.f_code, module, self._packages)

    def _start(
        self,
        coro: Coroutine[Any, Any, Any],
        context: Context,
        given: bool,
        request: Request,
    ) -> TaskWork:
        name = label(coro)
        work = TaskWork(
            self._background,
            name,
            f"background {name}",
            attributes_of_coroutine(coro, "create_task"),
            parent=context.run(otel.get_current),
            cause=request.span.get_span_context(),
        )
        if not given:  # a context of the caller's may be used for other things too
            context.run(_make_current, work.span)
        return work


class TaskWork(Work):
    """The work of one task. The task is held weakly: nobody is spared the need to keep it."""

    __slots__ = ("_future",)

    def follow(self, task: Future[Any]) -> None:
        """Wait for the end of `task`."""
        collected = partial(self.end, "lost", because=COLLECTED)
        self._future = weakref.ref(task, lambda _: later(collected))
        task.add_done_callback(self._done)

    def settle(self) -> None:
        """The loop may have stopped between the task's end and the news of it."""
        reference = getattr(self, "_future", None)
        task = None if reference is None else reference()
        if task is not None and task.done():
            self._done(task)
        else:
            super().settle()

    def _done(self, task: Future[Any]) -> None:
        if task.cancelled():
            if self._background.telemetry.stopping or _is_closing():
                self.end("lost", because=SHUTDOWN)
            else:
                self.end("cancelled")
            return
        # `exception()` would count as having dealt with it, and asyncio would not log it any more.
        error: BaseException | None = getattr(task, "_exception", None)
        self.end("ok" if error is None else "error", error)


def _make_current(span: trace.Span) -> None:
    otel.attach(trace.set_span_in_context(span))


def _asker() -> FrameType | None:
    frame: FrameType | None = sys._getframe(3)
    while frame is not None and frame.f_code in _ASKED_BY:
        frame = frame.f_back
    return frame


def _is_closing() -> bool:
    """Whether the loop is being closed: asyncio, uvloop and uvicorn all cancel by this name."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "_cancel_all_tasks":
            return True
        frame = frame.f_back
    return False
