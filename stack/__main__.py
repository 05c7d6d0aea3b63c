"""The command line: `python -m stack build`."""

import argparse
import sys

from stack.binaries import build, cache
from stack.components import components
from stack.console import say
from stack.errors import StackError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the native backends into the user's cache folder")
    parser.parse_args(arguments)
    try:
        build(list(components()))
        say(f"the backends are in {cache()}")
    except StackError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
