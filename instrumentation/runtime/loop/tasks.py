"""Whose request a task works for."""

from __future__ import annotations

import gc
from asyncio import Task
from contextvars import Context
from typing import TYPE_CHECKING, Any

from instrumentation.context import Excluded, in_request

if TYPE_CHECKING:
    from instrumentation.context import Request


def request_of(task: Task[Any] | None) -> Request | None:
    """The request whose context a task has."""
    context = None if task is None else _context(task)
    found = None if context is None else context.get(in_request)
    return None if isinstance(found, Excluded) else found


def _context(task: Task[Any]) -> Context | None:
    """The context of a task.

    Python 3.11 has no `get_context`. The task owns its context there too, and the collector can
    tell; it visits the task's own before those of its callbacks.
    """
    get_context = getattr(task, "get_context", None)
    if get_context is not None:
        found: Context | None = get_context()
        return found
    return next((item for item in gc.get_referents(task) if isinstance(item, Context)), None)
