"""`python -m alerts`: write the rules, check them, or write shorter ones for a drill."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alerts import alertmanager, generate
from alerts.links import Links
from alerts.model import Scale
from instrumentation.contract import places
from instrumentation.contract.slo import DEFAULTS


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the result is the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.out is None and (options.scale.factor != 1 or options.webhook):
        parser.error("--scale and --webhook need --out: the committed files are unscaled")
    numbers = DEFAULTS.scaled(options.scale.factor)
    files = generate.rule_files(numbers, Links(options.grafana, options.runbooks, options.jaeger))
    folder = options.out or generate.GENERATED
    if options.check:
        return _check(folder, files)
    if options.out:
        _refuse_foreign(parser, folder, files)
        alertmanager.write(folder / "alertmanager", options.scale, options.webhook)
    generate.write(folder, files)
    return 0


def _check(folder: Path, files: dict[str, str]) -> int:
    different = generate.differences(folder, files)
    if different:
        print(  # noqa: T201
            f"alerts: {folder} is out of date ({', '.join(different)}); run python -m alerts",
            file=sys.stderr,
        )
    return 1 if different else 0


def _refuse_foreign(parser: argparse.ArgumentParser, folder: Path, files: dict[str, str]) -> None:
    foreign = sorted(path.name for path in folder.glob("*.yml") if path.name not in files)
    if foreign:
        parser.error(f"--out: {folder} holds other files ({', '.join(foreign)})")


def _scale(text: str) -> Scale:
    try:
        return Scale(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m alerts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell whether files differ")
    parser.add_argument("--out", type=Path, help="folder for the rules and alertmanager/")
    parser.add_argument(
        "--scale",
        type=_scale,
        default=Scale(),
        help="divide windows, waits and intervals by this factor, from 1 to 10",
    )
    parser.add_argument("--webhook", help="address in front of each receiver's name")
    parser.add_argument("--grafana", default=places.GRAFANA_URL, help="where dashboards are")
    parser.add_argument("--runbooks", default=places.RUNBOOKS_URL, help="where runbooks are")
    parser.add_argument("--jaeger", default=places.JAEGER_URL, help="where traces are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
