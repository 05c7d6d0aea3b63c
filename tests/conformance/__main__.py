"""`python -m tests.conformance` writes the page; `--check` compares it with the marks."""

from __future__ import annotations

import argparse
import sys

from tests.conformance.lines import REQUIRED
from tests.conformance.marks import ROOT, MarkError, proofs
from tests.conformance.page import expected, lacking, render, rows, told
from tests.conformance.plugin import read

PAGE = ROOT / "docs" / "conformance.md"


def main(arguments: list[str]) -> int:
    """Write the page, or check its rows; the exit status is 1 where something is lacking."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the page with the marks")
    check = parser.parse_args(arguments).check
    try:
        found = rows(REQUIRED, proofs(), read())
    except MarkError as error:
        return _complain([str(error)])
    if check:
        page = PAGE.read_text() if PAGE.exists() else ""
        differing = sorted(told(page) ^ expected(found))
        return _complain(
            [f"docs/conformance.md is old, run `make conformance`: {row}" for row in differing]
        )
    PAGE.write_text(render(found))
    return _complain(lacking(found))


def _complain(sentences: list[str]) -> int:
    for sentence in sentences:
        print(f"conformance: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
