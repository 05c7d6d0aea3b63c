"""The caller's trace, as its headers tell it."""

from __future__ import annotations

from typing import Final

from opentelemetry import propagate
from opentelemetry.context import Context
from starlette.types import Scope

_NOBODY: Final = Context()


class Propagation:
    """Reads the context that the global propagators (`OTEL_PROPAGATORS`) understand.

    Most requests have none of their headers; those are spared the propagators.
    """

    def __init__(self) -> None:
        fields = propagate.get_global_textmap().fields
        self._fields = frozenset(field.lower().encode("latin-1") for field in fields)

    def extract(self, scope: Scope) -> Context:
        """The caller's context; an empty one where no header tells of any."""
        found: dict[str, str] = {}
        for raw, value in scope.get("headers", ()):
            if raw in self._fields:
                name, text = raw.decode("latin-1"), value.decode("latin-1")
                # A repeated header means the same as one with commas (RFC 9110, 5.3).
                found[name] = f"{found[name]},{text}" if name in found else text
        return propagate.extract(found, _NOBODY) if found else _NOBODY
