"""`python -m dashboards`: write the dashboards, or tell whether they differ."""

from __future__ import annotations

import argparse
import sys

from dashboards import generate


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell whether files differ")
    if not parser.parse_args(arguments).check:
        generate.write(generate.GENERATED)
        return 0
    different = generate.differences(generate.GENERATED)
    if different:
        print(  # noqa: T201
            f"dashboards: out of date ({', '.join(different)}); run python -m dashboards",
            file=sys.stderr,
        )
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
