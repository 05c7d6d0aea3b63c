"""`python -m alerts`: write the rules, with your numbers and receivers or for a drill."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alerts import alertmanager, config, generate, kubernetes
from alerts.links import Links
from alerts.model import Scale
from commandline.arguments import address, folder, label, namespace
from commandline.errors import sentence
from instrumentation.contract import places

_PROMETHEUS = "prometheus"
_KUBERNETES = "kubernetes"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the result is the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.out is None and _changed(options):
        parser.error(
            "--config, --scale, --webhook, --receivers and --format need --out: the committed "
            "files are those of the defaults"
        )
    if options.format != _KUBERNETES and (options.namespace or options.label):
        parser.error(
            "--namespace and --label are those of a PrometheusRule: add --format kubernetes"
        )
    try:
        plan = config.load(options.config) if options.config else generate.EVERYBODY
        files = _files(plan.scaled(options.scale.factor), options)
        place = options.out or generate.GENERATED
        if options.check:
            return _check(place, files)
        if options.out:
            _refuse_foreign(parser, place, files)
            alertmanager.write(
                place / "alertmanager",
                options.scale,
                options.webhook,
                teams=plan.teams,
                receivers=options.receivers,
            )
        generate.write(place, files)
    except (ValueError, OSError) as error:
        parser.exit(2, f"{parser.prog}: error: {sentence(error)}\n")
    return 0


def _changed(options: argparse.Namespace) -> bool:
    """Whether the files would be others than the committed ones."""
    return bool(
        options.scale.factor != 1
        or options.config
        or options.webhook
        or options.receivers
        or options.format != _PROMETHEUS
    )


def _files(plan: config.Plan, options: argparse.Namespace) -> dict[str, str]:
    links = Links(options.grafana, options.runbooks, options.jaeger)
    if options.format == _PROMETHEUS:
        return generate.rule_files(plan, links)
    return kubernetes.manifest(plan, links, options.namespace or "", tuple(options.label))


def _check(place: Path, files: dict[str, str]) -> int:
    different = generate.differences(place, files)
    if different:
        print(  # noqa: T201 - a command's own words
            f"alerts: {place} is out of date ({', '.join(different)}); run python -m alerts",
            file=sys.stderr,
        )
    return 1 if different else 0


def _refuse_foreign(parser: argparse.ArgumentParser, place: Path, files: dict[str, str]) -> None:
    foreign = sorted(path.name for path in place.glob("*.yml") if path.name not in files)
    if foreign:
        parser.error(f"--out: {place} holds other files ({', '.join(foreign)})")


def _scale(text: str) -> Scale:
    try:
        return Scale(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m alerts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell whether files differ")
    parser.add_argument("--out", type=folder, help="folder for the rules and alertmanager/")
    parser.add_argument(
        "--config", type=Path, help="your alerts.yaml: numbers, teams, services, routes"
    )
    parser.add_argument(
        "--format",
        choices=(_PROMETHEUS, _KUBERNETES),
        default=_PROMETHEUS,
        help="rule files, or one PrometheusRule for the Prometheus operator",
    )
    parser.add_argument("--namespace", type=namespace, help="of the PrometheusRule")
    parser.add_argument(
        "--label",
        type=label,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="which your Prometheus selects PrometheusRules by; may be repeated",
    )
    parser.add_argument(
        "--receivers", type=Path, help="your receivers, by the names in alertmanager.yml"
    )
    parser.add_argument(
        "--scale",
        type=_scale,
        default=Scale(),
        help="divide windows, waits and intervals by this factor, from 1 to 10",
    )
    for name, default, what in (
        ("--webhook", None, "address in front of each receiver's name"),
        ("--grafana", places.GRAFANA_URL, "where dashboards are"),
        ("--runbooks", places.RUNBOOKS_URL, "where runbooks are"),
        ("--jaeger", places.JAEGER_URL, "where traces are"),
    ):
        parser.add_argument(name, type=address, default=default, metavar="URL", help=what)
    return parser


if __name__ == "__main__":
    sys.exit(main())
