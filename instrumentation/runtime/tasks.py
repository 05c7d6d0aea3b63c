"""Every new task of a request, told to those who asked: the one task factory of the library.

A loop has one factory. Several that each chained the one before could not be taken away in any
order, so whoever has to see new tasks registers here.
"""

from __future__ import annotations

import asyncio
import weakref
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Coroutine, Iterable
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Final, Protocol

from instrumentation.context import in_request

Created = Callable[["Future[Any]"], object]


class Observer(Protocol):
    """Sees a task before it exists: each that is made in a request.

    Below a factory of the application's it sees those of nobody's request too.
    """

    def __call__(self, coro: Coroutine[Any, Any, Any], context: Context, given: bool) -> Any:
        """Look at the coroutine of a task that is about to be made.

        Arguments:
            coro: what the task will run.
            context: the context that it will run in; changes are seen by the task.
            given: the context was given by the caller, who may use it for more than this task.

        Returns:
            What to call with the new task, or None.
        """


# The loop, or a chain of the application's, holds the factory: a strong reference from here could
# keep a loop alive through the factory below ours.
_factories: weakref.WeakKeyDictionary[AbstractEventLoop, weakref.ref[Factory]] = (
    weakref.WeakKeyDictionary()
)

_EAGER: Final = getattr(getattr(asyncio, "eager_task_factory", None), "__code__", None)
"""The code of asyncio's own eager factory, from Python 3.12 on."""


def observe(loop: AbstractEventLoop, observer: Observer) -> None:
    """Have `observer` see every task that `loop` makes in a request from now on.

    A factory that the application has set stays in force below ours. One that it sets later
    replaces ours: calling this again with the same observer puts ours on top.
    """
    mine = earlier = _factory(loop)
    if mine is None or loop.get_task_factory() is not mine.installed:
        mine = Factory(loop.get_task_factory())
        _factories[loop] = weakref.ref(mine)
        if earlier is not None:
            # It may still be there, somewhere in the application's chain: nobody is seen twice.
            mine.observers, earlier.observers = earlier.observers, ()
        loop.set_task_factory(mine.installed)
    if observer not in mine.observers:
        mine.observers = (*mine.observers, observer)


def forget(loop: AbstractEventLoop, observer: Observer) -> None:
    """Show no more tasks of `loop` to `observer`; the last one gone restores the loop."""
    mine = _factory(loop)
    if mine is None:
        return
    mine.observers = tuple(each for each in mine.observers if each != observer)
    # Where the application has chained ours, ours stays, and only passes on.
    if not mine.observers and loop.get_task_factory() is mine.installed:
        loop.set_task_factory(mine.inner)
        del _factories[loop]


def _factory(loop: AbstractEventLoop) -> Factory | None:
    reference = _factories.get(loop)
    return None if reference is None else reference()


class Factory:
    """Makes tasks as the factory before it would, and shows them to observers.

    Attributes:
        inner: the factory before it; None for asyncio's own way.
        installed: what the loop was given.
        observers: who sees the tasks.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.observers: tuple[Observer, ...] = ()
        self._construct: Any = None
        self.installed: Any = self
        if _EAGER is not None and getattr(inner, "__code__", None) is _EAGER:
            # anyio knows an eager factory by its code, and takes the constructor out of it to
            # start its own tasks in its own way: an eager factory around our constructor.
            self._construct = inner.__closure__[0].cell_contents
            self.installed = asyncio.create_eager_task_factory(  # type: ignore[attr-defined,unused-ignore]
                self._constructed
            )

    def __call__(
        self, loop: AbstractEventLoop, coro: Coroutine[Any, Any, Any], **kwargs: Any
    ) -> Future[Any]:
        """Make a task, as `loop.create_task` asks for it."""
        inner, observers = self.inner, self.observers
        if inner is None:
            context = kwargs.get("context")
            # The server makes a task a request, before there is one: that has to be cheap.
            found = in_request.get() if context is None else context.get(in_request)
            tell: Iterable[Created] = ()
            if found is not None and observers:
                given = context is not None
                if context is None:
                    context = kwargs["context"] = copy_context()
                tell = _show(observers, coro, context, given)
            task = asyncio.Task(coro, loop=loop, **kwargs)
            if loop.get_debug():
                _by_others(task)
            for each in tell:
                each(task)
            return task
        return self._around(partial(inner, loop), coro, kwargs, takes_context=False)

    def _constructed(self, coro: Coroutine[Any, Any, Any], **kwargs: Any) -> Future[Any]:
        return self._around(self._construct, coro, kwargs, takes_context=True)

    def _around(
        self,
        make: Callable[..., Future[Any]],
        coro: Coroutine[Any, Any, Any],
        kwargs: dict[str, Any],
        *,
        takes_context: bool,
    ) -> Future[Any]:
        given = kwargs.get("context") is not None
        if given:
            context = kwargs["context"]
        else:
            kwargs.pop("context", None)
            context = copy_context()
        tell = _show(self.observers, coro, context, given)
        if given:
            task = make(coro, **kwargs)
        elif takes_context:
            task = make(coro, **kwargs, context=context)
        else:
            # A factory written before Python 3.11 takes no context; a task copies the current one.
            task = context.run(make, coro, **kwargs)
        for each in tell:
            each(task)
        return task


def _show(
    observers: tuple[Observer, ...], coro: Coroutine[Any, Any, Any], context: Context, given: bool
) -> list[Created]:
    tell: list[Created] = []
    for observe in observers:
        found = observe(coro, context, given)
        if found is not None:
            tell.append(found)
    return tell


def _by_others(task: asyncio.Task[Any]) -> None:
    """Have the task say who asked for it, as it does without a factory: not us, nor the loop.

    It knows, in asyncio's debug mode, and the log of a slow or forgotten task tells it.
    """
    made = getattr(task, "_source_traceback", None)
    while made and made[-1].filename in _BETWEEN:
        del made[-1]


_BETWEEN: Final = (
    Factory.__call__.__code__.co_filename,
    asyncio.BaseEventLoop.create_task.__code__.co_filename,
)

FRAMES: Final = (Factory.__call__, Factory._constructed, Factory._around, _show)
"""What is on the stack between `create_task` and an observer."""
