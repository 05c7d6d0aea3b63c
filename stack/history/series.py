"""How a series is spelled in OpenMetrics text, and which labels the live ones have."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import unquote

from stack.errors import StackError

ENVIRONMENT = "deployment_environment_name"
_ATTRIBUTE = "deployment.environment.name"


def spell(name: str, labels: Mapping[str, str]) -> str:
    """Return a series as text; an empty label is none, as on the way through OTLP."""
    inside = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items() if value)
    return f"{name}{{{inside}}}"


def instances(targets: Path, jobs: Collection[str]) -> dict[str, str]:
    """Return each job's scrape address, which is the `instance` of its series.

    Args:
        targets: the file from which the collector reads the services to scrape.
        jobs: those that it must name.

    Raises:
        StackError: the file is missing, of another form, or lacks a job.
    """
    try:
        found = {
            group["labels"]["job"]: group["targets"][0] for group in json.loads(targets.read_text())
        }
        missing = sorted(set(jobs) - found.keys())
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise StackError(f"{targets} must list the services to scrape: {error!r}.") from error
    if missing:
        raise StackError(f"{targets} must list {' and '.join(missing)} among the services.")
    return found


def environment_name(attributes: str) -> str:
    """Return the deployment environment, or nothing, that OTEL_RESOURCE_ATTRIBUTES names."""
    pairs = dict(pair.partition("=")[::2] for pair in attributes.split(","))
    named = {key.strip(): unquote(value.strip()) for key, value in pairs.items()}
    return named.get(_ATTRIBUTE, "")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
