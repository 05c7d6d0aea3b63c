"""What a server span carries only where a setting asks for it: the query and chosen headers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

from instrumentation import redaction
from instrumentation.settings import Settings

Headers = Iterable[tuple[bytes, bytes]]

_SECRET: Final = re.compile(
    r"auth|cookie|token|secret|passw|pwd|credential|session|signature|csrf|xsrf|jwt|assertion"
    r"|(api|access|private|account|subscription|master)[-_]?key"
)
"""A header whose name has one of these is taken for a secret, whoever asks for it."""

_MOST_NAMES: Final = 1024


class Capture:
    """Reads what `settings` ask for, with secrets redacted.

    Which of the headers' names are wanted is decided once for each name: servers hand over the
    same few again and again.
    """

    def __init__(self, settings: Settings) -> None:
        self._query = settings.record_query
        self._allowed = frozenset(settings.query_allowed) if self._query else None
        sanitized = _any_of(settings.sanitized_headers)
        self._request = _Chosen("request", settings.request_headers, sanitized)
        self._response = _Chosen("response", settings.response_headers, sanitized)

    @classmethod
    def of(cls, settings: Settings) -> Capture | None:
        """None where nothing is asked for, which costs a request nothing."""
        asked = settings.record_query or settings.request_headers or settings.response_headers
        return cls(settings) if asked else None

    def request(self, scope: Scope) -> dict[str, str | list[str]]:
        """Attributes of a request or of a connection."""
        found: dict[str, str | list[str]] = {}
        if self._query and (text := scope.get("query_string", b"").decode("latin-1")):
            found["url.query"] = redaction.query(text, self._allowed or ())
        found.update(self._request.attributes(scope.get("headers", ()), self._allowed))
        return found

    def response(self, headers: Headers) -> dict[str, list[str]]:
        """Attributes of a response."""
        return self._response.attributes(headers, self._allowed)


class _Chosen:
    """The headers of one side that are wanted."""

    def __init__(
        self, side: str, names: tuple[str, ...], sanitized: re.Pattern[str] | None
    ) -> None:
        self._side = side
        self._wanted = _any_of(names)
        self._sanitized = sanitized
        self._known: dict[bytes, tuple[str, bool] | None] = {}

    def attributes(self, headers: Headers, allowed: frozenset[str] | None) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        if self._wanted is None:
            return found
        for raw, value in headers:
            if (chosen := self._choice(raw)) is not None:
                name, secret = chosen
                text = value.decode("latin-1")
                shown = redaction.HIDDEN if secret else redaction.header(text, allowed)
                found.setdefault(name, []).append(shown)
        return found

    def _choice(self, raw: bytes) -> tuple[str, bool] | None:
        """The attribute's name and whether its value is a secret; None where it isn't wanted."""
        if raw in self._known:
            return self._known[raw]
        name = raw.decode("latin-1").lower()
        choice = None
        if self._wanted is not None and self._wanted.fullmatch(name):
            secret = bool(_SECRET.search(name) or _found(self._sanitized, name))
            choice = (f"http.{self._side}.header.{name}", secret)
        if len(self._known) < _MOST_NAMES:
            self._known[raw] = choice
        return choice


def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    return re.compile(joined, re.IGNORECASE) if patterns else None


def _found(pattern: re.Pattern[str] | None, name: str) -> bool:
    return pattern is not None and bool(pattern.search(name))
