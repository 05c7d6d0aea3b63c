"""Which route a request took, read after routing and never matched a second time."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from starlette.routing import Host, Mount, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from instrumentation.http.paths import Paths, walk

KEY: Final = "instrumentation"
"""The scope's key for the `Track` of a request."""

UNMATCHED: Final = "unmatched"
"""The label of a request that no route took: never its path."""

_NESTING: Final = (Mount, Host)
_SERVER_ERROR: Final = 500


class Track:
    """What the layers below the outermost one leave for it.

    The object travels by reference, so it arrives even where a middleware hands a copy of the
    scope inward.

    Attributes:
        root: the application's root as a template.
        error: the exception that left the router, or that a response of 5xx answers for.
        responding: the outermost layer has seen the response start.
        handed_over: the outermost layer has seen the response's end.
        broke_off: the exception came between the two, so no error response could follow.
        over: the application has returned; nothing more of this request runs.
        scope, paths: what a router is about to fill, and what it knows of paths.
    """

    # What most requests never change costs nothing to begin with.
    root = ""
    error: BaseException | None = None
    responding = False
    handed_over = False
    over = False
    broke_off = False
    scope: Scope | None = None
    paths: Paths | None = None
    _mount: Mount | None = None
    _mounts: tuple[str, ...] = ()
    _stale: tuple[Any, Any, Any] = (None, None, None)
    _settled = False
    _route: str | None = None

    def mount(self, mount: Mount, template: str, scope: Scope) -> None:
        """A mount was taken; what the scope says of routes so far is past."""
        self._mount = mount
        self._mounts += (template,)
        self._stale = _selected(scope)[:3]

    def fail(self, error: BaseException) -> None:
        """`error` left the router; after the response's end it is a background task's."""
        if not self.handed_over and self.error is None:
            self.error, self.broke_off = error, self.responding

    def route(self) -> str | None:
        """The full template of the route that was taken; None where nothing matched."""
        return self._route if self._settled else self._template()

    def _template(self) -> str | None:
        scope, paths = self.scope, self.paths
        if scope is None or paths is None:
            return None
        path = self._path(scope, paths)
        if self._mounts:
            return self.root + "".join(self._mounts) + ("/{path}" if path is None else path)
        return self.root + path if path is not None and self.root else path

    def settle(self) -> str | None:
        """The route, which is final now that the response is there.

        The scope is let go: it holds this track, and what holds each other waits for the garbage
        collector, with all that FastAPI keeps in a scope.
        """
        if not self._settled:
            self._route = self._template()
            self._settled = True
            self.scope = None
        return self._route

    def end(self) -> None:
        """The application has returned."""
        self.over = True
        self.scope = None
        # A traceback holds frames that hold the track: no cycle shall wait for the collector.
        self.error = None

    def label(self) -> str:
        """The route as a metric's label."""
        return self.route() or UNMATCHED

    def _path(self, scope: Scope, paths: Paths) -> str | None:
        context, route, endpoint, frontend = _selected(scope)
        if frontend is not None:
            return _frontend(scope, frontend)
        if self._mounts:
            context, route, endpoint = (
                None if now is before else now
                for now, before in zip((context, route, endpoint), self._stale, strict=True)
            )
        if context is not None:
            inner = getattr(context, "starlette_route", None) or context
            if not isinstance(inner, _NESTING):
                return getattr(inner, "path", None) or getattr(context, "path", None)
        if route is not None and not isinstance(route, _NESTING):
            return getattr(route, "path", None)
        return paths.of(endpoint, self._mount, scope) if endpoint is not None else None


def root(scope: Scope) -> str:
    """The application's root as a template.

    Below a parent's mount, `root_path` holds the values of the mount's parameters: their names
    take the place.
    """
    path = str(scope.get("root_path", "")).rstrip("/")
    if not path:
        return ""
    outer = str(scope.get("app_root_path", path)).rstrip("/")
    mounted = path.removeprefix(outer)
    parameters = scope.get("path_params", {}) if mounted else {}
    for name, value in parameters.items():
        named = f"{mounted}/".replace(f"/{value}/", f"/{{{name}}}/", 1)[:-1]
        if named == mounted and not isinstance(value, str):
            # A convertor has changed what the path had (`007` to 7): it can't be found again.
            return f"{outer}/{{mount}}"
        mounted = named
    return outer + mounted


def _frontend(scope: Scope, below: str) -> str:
    """The template of what `FastAPI.frontend` answers; the scope names no route then."""
    path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
    return path.removesuffix(below).rstrip("/") + "/{path}"


def _selected(scope: Scope) -> tuple[Any, Any, Any, str | None]:
    """FastAPI's included route, the route, the endpoint, and a frontend's path, as far as named."""
    context = frontend = None
    inner = scope.get("fastapi")
    if isinstance(inner, dict):
        context, frontend = inner.get("effective_route_context"), inner.get("frontend_path")
    return context, scope.get("route"), scope.get("endpoint"), frontend


class RouterLayer:
    """Stands around `app.router`, inside every middleware, and tells the track what it sees.

    Routes may come as late as in the lifespan or in a request, so `scan` is called again when there
    are others.

    Arguments:
        app: the router.
        scan: reads its routes.
        apart: there are middlewares outside, which may send from a task of their own: what a
            response answers for shows in here alone.
    """

    def __init__(self, app: Router, scan: Callable[[], Paths], *, apart: bool) -> None:
        self.app = app
        self._scan = scan
        self._apart = apart
        self._routes: Any = None
        self._count = -1
        self._paths = Paths(tuple)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Run the router."""
        track = scope.get(KEY)
        if track is None:
            return self.app(scope, receive, send)
        routes = self.app.routes
        if len(routes) != self._count or routes is not self._routes:
            self._routes, self._count = routes, len(routes)
            self._paths = self._scan()
        track.scope, track.paths = scope, self._paths
        return (
            self._watch(track, scope, receive, send)
            if self._apart
            else self.app(scope, receive, send)
        )

    async def _watch(self, track: Track, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, _blaming(send, track))
        except BaseException as error:
            track.fail(error)
            raise


def _blaming(send: Send, track: Track) -> Send:
    async def blame(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= _SERVER_ERROR:
            track.error = track.error or sys.exception()
        await send(message)

    return blame


def track_mounts(routes: Iterable[Any]) -> Callable[[], None]:
    """Have every mount below `routes` tell the track its template; returns what undoes it.

    `handle` is replaced on the instance: `Mount.app` takes part in comparing two mounts.
    """
    found = {id(route): route for route, _ in walk(routes) if isinstance(route, Mount)}
    tracked = []
    for mount in found.values():
        if "handle" not in vars(mount):
            mount.handle = _tracked(mount)  # type: ignore[method-assign,assignment]
            tracked.append(weakref.ref(mount))

    def undo() -> None:
        for reference in tracked:
            if (mount := reference()) is not None:
                vars(mount).pop("handle", None)

    return undo


def _tracked(mount: Mount) -> ASGIApp:
    original = mount.handle

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        track = scope.get(KEY)
        if track is not None:
            track.mount(mount, _template(mount, scope), scope)
        await original(scope, receive, send)

    return handle


def _template(mount: Mount, scope: Scope) -> str:
    """The mount's path; in an included router, with the prefix of the inclusion."""
    context = _selected(scope)[0]
    if context is not None and getattr(context, "original_route", None) is mount:
        return str(context.starlette_route.path)
    return str(mount.path)
