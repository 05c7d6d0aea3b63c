"""`python -m alerts`: write the rules, with your numbers and receivers or for a drill."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alerts import alertmanager, config, generate, kubernetes
from alerts.links import Links
from alerts.model import Scale
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
    try:
        plan = config.load(options.config) if options.config else generate.EVERYBODY
        files = _files(plan.scaled(options.scale.factor), options)
        folder = options.out or generate.GENERATED
        if options.check:
            return _check(folder, files)
        if options.out:
            _refuse_foreign(parser, folder, files)
            alertmanager.write(
                folder / "alertmanager",
                options.scale,
                options.webhook,
                teams=plan.teams,
                receivers=options.receivers,
            )
    except ValueError as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    generate.write(folder, files)
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
    return kubernetes.manifest(plan, links, options.namespace, tuple(options.label))


def _check(folder: Path, files: dict[str, str]) -> int:
    different = generate.differences(folder, files)
    if different:
        print(  # noqa: T201 - a command's own words
            f"alerts: {folder} is out of date ({', '.join(different)}); run python -m alerts",
            file=sys.stderr,
        )
    return 1 if different else 0


def _refuse_foreign(parser: argparse.ArgumentParser, folder: Path, files: dict[str, str]) -> None:
    if folder.exists() and not folder.is_dir():
        parser.error(f"--out: {folder} is no folder")
    foreign = sorted(path.name for path in folder.glob("*.yml") if path.name not in files)
    if foreign:
        parser.error(f"--out: {folder} holds other files ({', '.join(foreign)})")


def _scale(text: str) -> Scale:
    try:
        return Scale(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"must be name=value, not {text!r}")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m alerts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell whether files differ")
    parser.add_argument("--out", type=Path, help="folder for the rules and alertmanager/")
    parser.add_argument(
        "--config", type=Path, help="your alerts.yaml: numbers, teams, services, routes"
    )
    parser.add_argument(
        "--format",
        choices=(_PROMETHEUS, _KUBERNETES),
        default=_PROMETHEUS,
        help="rule files, or one PrometheusRule for the Prometheus operator",
    )
    parser.add_argument("--namespace", default="", help="of the PrometheusRule")
    parser.add_argument(
        "--label",
        type=_label,
        action="append",
        default=[],
        help="name=value, which your Prometheus selects PrometheusRules by; may be repeated",
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
    parser.add_argument("--webhook", help="address in front of each receiver's name")
    parser.add_argument("--grafana", default=places.GRAFANA_URL, help="where dashboards are")
    parser.add_argument("--runbooks", default=places.RUNBOOKS_URL, help="where runbooks are")
    parser.add_argument("--jaeger", default=places.JAEGER_URL, help="where traces are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
