"""Blocking calls in asynchronous code: those that can be read, and those that were seen.

What can be read is found by ruff's ASYNC rules. What was seen is what the event loop's watchdog
of a running service has counted: it also knows calls that no rule does, and how much they cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from instrumentation.audit import culprits, findings, report
from instrumentation.audit.errors import AuditError

__all__ = ["AuditError", "audit"]


def audit(paths: Sequence[Path], urls: Sequence[str], out: TextIO) -> int:
    """Write the report to `out`; answers 1 if there is anything in it, else 0.

    Arguments:
        paths: files and folders to read.
        urls: addresses of `/metrics` of the running service's instances.

    Raises:
        AuditError: ruff is missing or can't work, a path doesn't exist, a service doesn't answer.
    """
    found = findings.find(paths)
    seen = culprits.fetch(urls)
    places = report.rank(found, seen, paths)
    out.write(report.text(places, measured=bool(urls)))
    return 1 if places else 0
