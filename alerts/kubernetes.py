"""The same rules as a `PrometheusRule`, which the Prometheus operator loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alerts import generate
from alerts.render import document, rendered

if TYPE_CHECKING:
    from alerts.config import Plan
    from alerts.links import Links
    from instrumentation.contract.promql import Labels

NAME: Final = "fastapi-observability"
FILE: Final = "prometheusrule.yaml"


def manifest(plan: Plan, links: Links, namespace: str, labels: Labels) -> dict[str, str]:
    """Return the manifest's file name and text.

    Args:
        plan: what the rules are made from.
        links: base addresses of the links in the alerts.
        namespace: where it is applied; empty leaves it to `kubectl`.
        labels: what the operator's `ruleSelector` asks for, such as `release=prometheus`.

    Raises ValueError for a key of the plan that nothing reads.
    """
    metadata: dict[str, Any] = {"name": NAME}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {"app.kubernetes.io/name": NAME, **dict(labels)}
    groups = [group for groups in generate.planned(plan).values() for group in groups]
    content = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata,
        "spec": {"groups": rendered(groups, links)},
    }
    return {FILE: document(content)}
