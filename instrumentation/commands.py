"""The commands of `python -m instrumentation`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_WRONG = 2


def main(arguments: Sequence[str]) -> int:
    """Run a command; answers the exit status.

    0 means that all is well, 1 that the audit has found something, 2 that the command could not
    be run: one sentence on standard error says why.
    """
    parsed = _parser().parse_args(arguments)
    if parsed.command == "reference":
        from instrumentation.reference import reference

        sys.stdout.write(reference())
        return 0
    from instrumentation.audit import AuditError, audit

    try:
        return audit(parsed.path, parsed.metrics, sys.stdout)
    except AuditError as error:
        print(f"audit: {error}", file=sys.stderr)  # noqa: T201 - a command
        return _WRONG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m instrumentation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("reference", help="print the reference of all metrics, in Markdown")
    audit = commands.add_parser(
        "audit",
        help="find what blocks the event loop",
        description="Find blocking calls inside `async def`, and rank them by the time that the "
        "running service has lost to them.",
    )
    audit.add_argument("path", type=Path, nargs="+", metavar="PATH", help="a file or a folder")
    audit.add_argument(
        "--metrics",
        metavar="URL",
        action="append",
        default=[],
        help="address of a running service's /metrics; give it again for more instances",
    )
    return parser
