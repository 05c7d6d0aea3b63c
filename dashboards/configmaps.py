"""The dashboards as ConfigMaps, which the sidecar of Grafana's Helm chart loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from dashboards import boards, generate

if TYPE_CHECKING:
    from collections.abc import Mapping

SIDECAR_LABEL: Final = {"grafana_dashboard": "1"}
"""What the sidecar looks for unless it is told otherwise."""
FOLDER_ANNOTATION: Final = {"grafana_folder": "FastAPI"}


def manifests(namespace: str = "", labels: Mapping[str, str] = SIDECAR_LABEL) -> dict[str, str]:
    """Return each manifest's file name and text, one a dashboard: a ConfigMap holds 1 MiB.

    Args:
        namespace: where they are applied; empty leaves it to `kubectl`.
        labels: what the sidecar looks for.
    """
    found = {}
    for board in boards.ALL:
        metadata: dict[str, Any] = {"name": board.uid}
        if namespace:
            metadata["namespace"] = namespace
        metadata["labels"] = dict(labels)
        metadata["annotations"] = dict(FOLDER_ANNOTATION)
        content = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {f"{board.uid}.json": generate.text(board)},
        }
        found[f"{board.name}.yaml"] = yaml.safe_dump(content, sort_keys=False, width=120)
    return found
