"""`python -m dashboards`: write the dashboards, or tell whether they differ.

`snapshot` draws one with live data into an HTML file, of which `picture` makes an image;
`configmaps` writes them for Kubernetes, `cost` tells what each asks of a Prometheus.
"""

from __future__ import annotations

import argparse
import sys

from commandline.arguments import folder, label, namespace
from commandline.errors import sentence
from dashboards import configmaps, cost, generate
from dashboards.snapshot import command, picture
from dashboards.snapshot.errors import SnapshotError


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the result is the exit code."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "snapshot":
            command.run(given)
            return 0
        if given.command == "picture":
            picture.run(given)
            return 0
        if given.command == "cost":
            cost.run(given)
            return 0
        if given.command == "configmaps":
            return _configmaps(given)
        return _generate(check=given.check)
    except (SnapshotError, ValueError, OSError) as error:
        sys.stderr.write(f"error: {sentence(error)}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell whether files differ")
    commands = parser.add_subparsers(dest="command")
    command.add(commands.add_parser("snapshot", help="draw a dashboard into one HTML file"))
    picture.add(commands.add_parser("picture", help="make an image of a snapshot"))
    cost.add(commands.add_parser("cost", help="tell what each dashboard asks of a Prometheus"))
    maps = commands.add_parser("configmaps", help="write ConfigMaps for Grafana's sidecar")
    maps.add_argument("--out", type=folder, required=True, metavar="FOLDER")
    maps.add_argument("--namespace", type=namespace)
    maps.add_argument(
        "--label",
        type=label,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what the sidecar looks for (default: grafana_dashboard=1)",
    )
    return parser


def _generate(*, check: bool) -> int:
    if not check:
        generate.write(generate.GENERATED)
        return 0
    different = generate.differences(generate.GENERATED)
    if different:
        print(  # noqa: T201 - a command's own words
            f"dashboards: out of date ({', '.join(different)}); run python -m dashboards",
            file=sys.stderr,
        )
    return 1 if different else 0


def _configmaps(given: argparse.Namespace) -> int:
    labels = dict(given.label)
    given.out.mkdir(parents=True, exist_ok=True)
    for name, text in configmaps.manifests(
        given.namespace or "", labels or configmaps.SIDECAR_LABEL
    ).items():
        (given.out / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
