"""The other examples: they start, and they agree with the library and with each other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from instrumentation import Settings
from stack.environment import REPOSITORY
from tests.processes.server import APP, REQUESTS, running

DEPLOY = REPOSITORY / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
every_manifest = pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)


def deployment(manifest: Path) -> dict[str, Any]:
    found: list[dict[str, Any]] = list(yaml.safe_load_all(manifest.read_text()))
    (one,) = [each for each in found if each["kind"] == "Deployment"]
    return one


def pod(manifest: Path) -> dict[str, Any]:
    spec: dict[str, Any] = deployment(manifest)["spec"]["template"]["spec"]
    return spec


def variables(manifest: Path) -> dict[str, str]:
    (container,) = pod(manifest)["containers"]
    return {each["name"]: each.get("value", "") for each in container["env"]}


@every_manifest
def test_the_library_takes_what_a_manifest_sets(manifest: Path) -> None:
    settings = Settings.from_env(variables(manifest))
    assert settings.service_name == deployment(manifest)["metadata"]["name"]


@every_manifest
def test_a_pod_has_longer_to_stop_than_everything_in_it_takes(manifest: Path) -> None:
    spec = pod(manifest)
    (container,) = spec["containers"]
    words = " ".join(container["args"])
    bound = re.search(r"--timeout-graceful-shutdown (\d+)", words)
    if bound is None:
        bound = re.search(r"graceful_timeout = (\d+)", (DEPLOY / "gunicorn.conf.py").read_text())
    assert bound is not None
    needed = int(bound[1]) + Settings().shutdown_seconds
    needed += container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] >= needed


@every_manifest
def test_a_shared_directory_is_the_pods_own(manifest: Path) -> None:
    directory = variables(manifest).get("PROMETHEUS_MULTIPROC_DIR")
    (container,) = pod(manifest)["containers"]
    mounted = {each["mountPath"]: each["name"] for each in container.get("volumeMounts", ())}
    empty = {each["name"] for each in pod(manifest).get("volumes", ()) if "emptyDir" in each}
    assert directory is None or mounted[directory] in empty


def test_the_shell_script_is_one() -> None:
    subprocess.run(["sh", "-n", str(DEPLOY / "uvicorn.sh")], check=True)


def test_uvicorn_runs_as_the_script_says(tmp_path: Path) -> None:
    script = [str(DEPLOY / "uvicorn.sh"), APP, "--host", "127.0.0.1", "--log-level", "warning"]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }
    with running(script, tmp_path, environment) as server:
        server.pids(2)
        assert server.total(REQUESTS) == len(server.answers)
