"""The lines that have held a running service's event loop, as its `/metrics` tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from prometheus_client.parser import text_string_to_metric_families

from instrumentation.audit.errors import AuditError
from instrumentation.contract.metrics import (
    ASYNCIO_EVENT_LOOP_CULPRIT_BLOCKS,
    ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS,
)

_SECONDS: Final = ASYNCIO_EVENT_LOOP_CULPRIT_SECONDS.name
_BLOCKS: Final = ASYNCIO_EVENT_LOOP_CULPRIT_BLOCKS.name
_PLACE: Final = re.compile(r"(?P<file>.+):(?P<line>\d+) (?P<function>.+)")
_TIMEOUT_SECONDS: Final = 10.0


@dataclass
class Culprit:
    """One line of code, and the time for which it has held the event loop.

    Attributes:
        name: `file.py:line function`, or what else held it, such as `gc`.
        file, line, function: the same apart; empty and 0 where it is no line of code.
        routes: where it did.
    """

    name: str
    file: str = ""
    line: int = 0
    function: str = ""
    seconds: float = 0.0
    blocks: int = 0
    routes: set[str] = field(default_factory=set)


def fetch(urls: Sequence[str]) -> list[Culprit]:
    """The culprits that the services at `urls` report, summed.

    Raises:
        AuditError: an address isn't one, doesn't answer, or has no such metrics.
    """
    found: dict[str, Culprit] = {}
    for url in urls:
        _add(found, _read(url), url)
    return list(found.values())


def _read(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise AuditError(f"--metrics must be an http:// or https:// address, got {url!r}")
    request = Request(url, headers={"Accept": "text/plain"})  # noqa: S310 - checked above
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - checked above
            body: bytes = response.read()
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise AuditError(f"{url} doesn't answer: {reason}") from None
    return body.decode(errors="replace")


def _add(found: dict[str, Culprit], text: str, url: str) -> None:
    for name, labels, value in _samples(text, url):
        culprit = found.setdefault(labels["culprit"], _culprit(labels["culprit"]))
        if name == _SECONDS:
            culprit.seconds += value
        else:
            culprit.blocks += int(value)
        if labels["http_route"]:
            culprit.routes.add(labels["http_route"])


def _samples(text: str, url: str) -> Iterable[tuple[str, dict[str, str], float]]:
    try:
        families = list(text_string_to_metric_families(text))
    except ValueError:
        raise AuditError(f"{url} answers something else than metrics") from None
    if not any(family.name == _SECONDS.removesuffix("_total") for family in families):
        raise AuditError(f"{url} has no {_SECONDS}: is the service instrumented?")
    return [
        (sample.name, sample.labels, sample.value)
        for family in families
        for sample in family.samples
        if sample.name in (_SECONDS, _BLOCKS)
    ]


def _culprit(name: str) -> Culprit:
    place = _PLACE.fullmatch(name)
    if place is None:
        return Culprit(name)
    return Culprit(name, place["file"], int(place["line"]), place["function"])
