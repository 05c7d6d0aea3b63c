"""What is built natively, and how: one `Component` for each project."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from stack.environment import REPOSITORY, load

MANIFEST = "otel-collector/builder.yaml"
JAEGER_MODULE = "stack/jaeger"

GO_ENVIRONMENT = {
    # Static binaries: the images for the compose file can then be built from scratch.
    "CGO_ENABLED": "0",
    # A newer toolchain downloaded on the way would make two machines build different things.
    "GOTOOLCHAIN": "local",
}


@dataclass(frozen=True)
class Component:
    """A project that one or several programs are built from.

    Args:
        name: what the cache folder and messages call it.
        version: the release.
        programs: each program's path inside the work folder once the steps have run.
        steps: command lines, run one after another in the work folder; `{work}` and
            `{repository}` stand for the two folders. `go install` puts programs in `{work}/bin`.
        inputs: files of the repository that decide what is built.
    """

    name: str
    version: str
    programs: Mapping[str, str]
    steps: tuple[tuple[str, ...], ...]
    inputs: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def folder(self) -> str:
        """Name in the cache: a change to any input gives another one."""
        digest = hashlib.sha256(json.dumps([self.steps, GO_ENVIRONMENT]).encode())
        for path in self.inputs:
            digest.update((REPOSITORY / path).read_bytes())
        return f"{self.name}-{self.version}-{digest.hexdigest()[:12]}"


def components() -> tuple[Component, ...]:
    """Return everything the native stack is made of, the slowest build first."""
    versions = load()
    return (
        _collector(versions["OTELCOL_VERSION"]),
        _jaeger(versions["JAEGER_VERSION"]),
        _prometheus(versions["PROMETHEUS_VERSION"], versions["PROMETHEUS_MODULE_VERSION"]),
        _alertmanager(versions["ALERTMANAGER_NATIVE_VERSION"]),
    )


def _collector(version: str) -> Component:
    return Component(
        name="otelcol",
        version=version,
        programs={"otelcol": "build/otelcol"},
        steps=(
            ("go", "install", f"go.opentelemetry.io/collector/cmd/builder@v{version}"),
            ("{work}/bin/builder", "--config", f"{{repository}}/{MANIFEST}"),
        ),
        inputs=(MANIFEST,),
    )


def _jaeger(version: str) -> Component:
    return Component(
        name="jaeger",
        version=version,
        programs={"jaeger": "bin/jaeger"},
        steps=(
            (
                *("go", "build", "-C", f"{{repository}}/{JAEGER_MODULE}", "-mod=readonly"),
                *("-o", "{work}/bin/jaeger", "github.com/jaegertracing/jaeger/cmd/jaeger"),
            ),
        ),
        inputs=(f"{JAEGER_MODULE}/go.mod", f"{JAEGER_MODULE}/go.sum"),
    )


def _prometheus(version: str, module_version: str) -> Component:
    module = "github.com/prometheus/prometheus/cmd"
    return Component(
        name="prometheus",
        version=version,
        programs={"prometheus": "bin/prometheus", "promtool": "bin/promtool"},
        # With the clouds' service discoveries left in, one dependency is unavailable.
        steps=(
            (
                *("go", "install", "-tags", "remove_all_sd"),
                *(
                    f"{module}/{program}@v{module_version}"
                    for program in ("prometheus", "promtool")
                ),
            ),
        ),
    )


def _alertmanager(version: str) -> Component:
    module = "github.com/prometheus/alertmanager/cmd"
    return Component(
        name="alertmanager",
        version=version,
        programs={"alertmanager": "bin/alertmanager", "amtool": "bin/amtool"},
        steps=(
            ("go", "install", f"{module}/alertmanager@v{version}", f"{module}/amtool@v{version}"),
        ),
    )
