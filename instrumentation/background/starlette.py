"""Work that a response leaves behind: Starlette's `BackgroundTask` and `BackgroundTasks`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

from opentelemetry import trace
from starlette.background import BackgroundTask, BackgroundTasks

from instrumentation.background import registry
from instrumentation.background.names import attributes, label
from instrumentation.background.work import CANCELLED, NEVER_STARTED, SHUTDOWN, Work, guarded
from instrumentation.context import Excluded, in_request
from instrumentation.patches import Patch

_BEGUN: Final = "_instrumentation_begun"

Run = Callable[[Any], Coroutine[Any, Any, None]]


def install() -> None:
    """Observe every background task of a response.

    There is no hook, and the response itself runs them: `__call__` of the two classes is
    wrapped, once for all applications, and that of the classes below `BackgroundTasks` that have
    their own, as FastAPI's does.
    """
    for kind in _kinds(BackgroundTasks):
        if kind not in _patches and "__call__" in vars(kind):
            _patches[kind] = Patch(kind, "__call__", _all)
    for patch in _patches.values():
        patch.apply()


def uninstall() -> None:
    """Restore the classes."""
    for patch in _patches.values():
        patch.undo()


def _kinds(kind: type[BackgroundTasks]) -> Iterator[type[BackgroundTasks]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _one(run: Run) -> Run:
    async def run_one(self: BackgroundTask) -> None:
        work = None if isinstance(self, BackgroundTasks) else _start(self)
        await (run(self) if work is None else _observed(run, self, work))

    return run_one


def _all(run: Run) -> Run:
    async def run_all(self: BackgroundTasks) -> None:
        try:
            await run(self)
        except BaseException:
            # They run one after another: behind one that fails, the others never do.
            for task in filter(_is_waiting, self.tasks):
                vars(task)[_BEGUN] = True  # or a class that calls the one above tells it twice
                work = _start(task)
                if work is not None:
                    work.end("lost", because=NEVER_STARTED)
            raise

    return run_all


_patches: Final[dict[type, Patch]] = {BackgroundTask: Patch(BackgroundTask, "__call__", _one)}


async def _observed(run: Run, self: BackgroundTask, work: Work) -> None:
    vars(self)[_BEGUN] = True
    with trace.use_span(work.span, record_exception=False, set_status_on_exception=False):
        try:
            await run(self)
        except Exception as error:
            work.end("error", error)
            raise
        except BaseException:
            # Nobody can cancel such a task alone: its request was, by a server that stops.
            work.end("lost", because=_why())
            raise
    work.end("ok")


def _is_waiting(task: Any) -> bool:
    single = isinstance(task, BackgroundTask) and not isinstance(task, BackgroundTasks)
    return single and _BEGUN not in vars(task)


def _start(task: BackgroundTask) -> Work | None:
    mine = registry.background()
    request = in_request.get()
    if mine is None or request is None or isinstance(request, Excluded):
        return None
    name, cause = label(task.func), request.span.get_span_context()
    described = attributes(task.func, "BackgroundTask")
    return guarded(mine, lambda: Work(mine, name, f"background {name}", described, cause=cause))


def _why() -> str:
    mine = registry.background()
    return SHUTDOWN if mine is not None and mine.telemetry.stopping else CANCELLED
