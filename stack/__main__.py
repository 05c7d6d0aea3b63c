"""The command line: build the native backends, run them, or run Docker Compose."""

import argparse
import os
import sys
from pathlib import Path

from commandline.arguments import file_to_write, folder
from commandline.errors import sentence
from stack.binaries import build, cache
from stack.components import components
from stack.compose import compose
from stack.console import say
from stack.environment import REPOSITORY
from stack.errors import StackError
from stack.options import Options
from stack.profile import SERVICES, Profile, profile
from stack.programs import NAMES
from stack.signals import Stopped, stop_signals
from stack.up import up

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        # From the first moment on: a build that is stopped must take its compilers along.
        with stop_signals():
            _run(chosen)
    except StackError as error:
        sys.stderr.write(f"error: {error}\n")  # with a program's last lines, where one has ended
        return 1
    except (ValueError, OSError) as error:
        sys.stderr.write(f"error: {sentence(error)}\n")
        return 1
    except Stopped:
        return INTERRUPTED
    return 0


def _run(chosen: argparse.Namespace) -> None:
    if chosen.command == "build":
        build(list(components()))
        say(f"the backends are in {cache()}")
    elif chosen.command == "compose":
        compose()
    elif chosen.command == "profile":
        wanted = Profile(service=chosen.service, seconds=chosen.seconds, file=chosen.out.resolve())
        profile(Options(data=chosen.out.parent), wanted)
    else:
        up(_options(chosen))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the native backends into the user's cache folder")
    commands.add_parser("compose", help="run everything with Docker Compose")
    _add_profile(commands.add_parser("profile", help="record a flame graph of the running demo"))
    start = commands.add_parser("up", help="build what is missing, start everything, wait")
    start.add_argument(
        "--data",
        type=folder,
        default=os.environ.get("STACK_DATA") or str(REPOSITORY / "var"),
        help="folder of all state and logs (default: STACK_DATA, else var/)",
    )
    start.add_argument("--rules", type=folder, default=Options.rules, help="folder of rule files")
    start.add_argument("--alertmanager-config", type=Path, default=Options.alertmanager_config)
    start.add_argument(
        "--scale", type=float, default=1, help="divides scrape and evaluation intervals, 1 to 10"
    )
    start.add_argument(
        "--only", type=_names, default=(), help=f"some of {','.join(NAMES)}, with commas"
    )
    start.add_argument("--no-history", action="store_true", help="leave the past empty")
    return parser


def _add_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--service", choices=SERVICES, default=Profile.service)
    parser.add_argument("--seconds", type=int, default=Profile.seconds, help="how long to record")
    parser.add_argument(
        "--out", type=file_to_write, default=Profile.file, help="the flame graph (SVG)"
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in NAMES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(NAMES)}")
    return names


def _options(chosen: argparse.Namespace) -> Options:
    return Options(
        data=chosen.data.resolve(),
        rules=chosen.rules.resolve(),
        alertmanager_config=chosen.alertmanager_config.resolve(),
        scale=chosen.scale,
        only=chosen.only,
        history=not chosen.no_history,
    )


if __name__ == "__main__":
    sys.exit(main())
