"""The routes that an application has, and the template of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Scope

_MOST_UNKNOWN: Final = 100

Placed = tuple[Any, Mount | None]
"""A route and the innermost mount that it is below."""


class Paths:
    """Templates of Starlette's own routes by their endpoint.

    FastAPI's router doesn't put these routes into the scope, and neither does Starlette's before
    1.0; the endpoint is there always.
    """

    def __init__(self, read: Callable[[], Iterable[Placed]]) -> None:
        """`read` reads the routes: now, and once for each endpoint that it doesn't find there."""
        self._read = read
        self._unknown: set[int] = set()
        self._by_endpoint = self._index()

    def of(self, endpoint: Any, mount: Mount | None, scope: Scope) -> str | None:
        """The template; where an endpoint has several routes, those alone are compared.

        Arguments:
            mount: the innermost one that was taken.
        """
        found = self._by_endpoint.get(id(endpoint)) or self._look_again(id(endpoint))
        if len(found) > 1:
            found = [one for one in found if one[1] is mount] or found
        if len(found) > 1:
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            found = [one for one in found if one[0].path_regex.match(path)]
        return found[0][0].path if found else None

    def _index(self) -> dict[int, list[Placed]]:
        found: dict[int, list[Placed]] = {}
        for route, mount in self._read():
            found.setdefault(id(route.endpoint), []).append((route, mount))
        return found

    def _look_again(self, key: int) -> list[Placed]:
        """A route may have been put in another's place."""
        if key in self._unknown or len(self._unknown) >= _MOST_UNKNOWN:
            return []
        self._by_endpoint = self._index()
        found = self._by_endpoint.get(key, [])
        if not found:
            self._unknown.add(key)
        return found


def walk(routes: Iterable[Any]) -> Iterator[Placed]:
    """Every route below `routes`, through mounts, hosts and included routers, in their order.

    What is mounted twice comes twice.
    """
    seen: set[tuple[int, int]] = set()
    waiting: deque[Placed] = deque((route, None) for route in routes)
    while waiting:
        route, mount = waiting.popleft()
        if (place := (id(route), id(mount))) in seen:
            continue
        seen.add(place)
        yield route, mount
        included = getattr(route, "original_router", None)
        below = route if isinstance(route, Mount) else mount
        waiting.extend((one, below) for one in getattr(included or route, "routes", None) or ())


def starlette_routes(routes: Iterable[Any]) -> Iterator[Placed]:
    """Starlette's own routes below `routes`, each with its mount."""
    return (placed for placed in walk(routes) if isinstance(placed[0], Route | WebSocketRoute))
