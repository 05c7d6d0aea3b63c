"""What an engine's address tells: of the database, never of who logs in."""

from __future__ import annotations

import weakref
from typing import Final, NamedTuple

from sqlalchemy.engine import URL, Engine

_SYSTEMS: Final = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}
"""Where SQLAlchemy's name of a dialect isn't the semantic conventions' name of the system."""


class Target(NamedTuple):
    """A database as spans and metrics name it; what the address leaves open is None.

    Attributes:
        system: the semantic conventions' name of the database system.
        namespace: the database's name.
        address: the server's host, or the folder of its socket.
        port: the server's port.
    """

    system: str
    namespace: str | None
    address: str | None
    port: int | None

    def pool_name(self) -> str:
        """A name for a pool that has none, as the semantic conventions make one of these parts.

        Of a database file, the file's name is enough: folders tell of the machine.
        """
        name = self.namespace or ":memory:"
        if self.address is None:
            return f"{self.system}/{name.rsplit('/', 1)[-1]}"
        port = "" if self.port is None else f":{self.port}"
        return f"{self.address}{port}/{self.namespace or ''}"


_targets: weakref.WeakKeyDictionary[Engine, Target] = weakref.WeakKeyDictionary()


def target(engine: Engine) -> Target:
    """The database that `engine` is for."""
    found = _targets.get(engine)
    if found is None:
        found = _targets[engine] = _read(engine)
    return found


def _read(engine: Engine) -> Target:
    url = engine.url
    dialect = engine.dialect.name
    port = url.query.get("port") if url.port is None else url.port
    known = int(str(port)) if str(port).isdecimal() else None
    return Target(_SYSTEMS.get(dialect, dialect), url.database or None, _host(url), known)


def _host(url: URL) -> str | None:
    """The host; PostgreSQL's sockets, and its several servers, stand in the query."""
    if url.host:
        return url.host
    host = url.query.get("host")
    if isinstance(host, tuple):
        return ",".join(host)
    return host or None
