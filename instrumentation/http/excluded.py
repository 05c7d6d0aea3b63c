"""Which requests are left out of observation, by their URLs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from starlette.types import Scope

from instrumentation.settings import ANY_HOST, HEALTH_CHECKS

_SUSPECTS: Final = ("/health", "/ready", "/live")
"""What the path of a health check begins with."""


def by(patterns: Sequence[str]) -> Callable[[Scope], object] | None:
    """What tells whether a request's URL, without its query, contains one of `patterns`.

    None where there are none.
    """
    if not patterns:
        return None
    if tuple(patterns) == (HEALTH_CHECKS,):
        # About the path alone: there is no need to put a URL together, and seldom to search it.
        match = re.compile(HEALTH_CHECKS.removeprefix(ANY_HOST)).match
        return lambda scope: scope["path"].startswith(_SUSPECTS) and match(scope["path"])
    search = re.compile("|".join(f"(?:{pattern})" for pattern in patterns)).search
    return lambda scope: search(_url(scope))


def _url(scope: Scope) -> str:
    host = next((value for name, value in scope.get("headers", ()) if name == b"host"), b"")
    return f"{_origin(scope.get('scheme'), host)}{scope['path']}"


@lru_cache(maxsize=256)
def _origin(scheme: str | None, host: bytes) -> str:
    """What a URL has before its path."""
    return f"{scheme or 'http'}://{host.decode('latin-1')}"
