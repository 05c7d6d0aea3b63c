"""What promtool must find in an alert: its labels, and its text with every link filled in."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, quote_plus

_HOUR = 3600
_AFTER = 1800


def message(
    alert: str,
    start: int,
    *,
    job: str = "orders",
    summary: str,
    description: str,
    severity: str = "warning",
    kind: str = "symptom",
    level: str = "job",
    cause: str = "none of the known causes fires",
    traces: str = "",
    environment: str = "test",
    **labels: str,
) -> dict[str, Any]:
    """Return one of promtool's `exp_alerts`.

    `start` is the second of the evaluation that first found the condition true; `labels` are
    those beside job, severity, kind, level and environment; `traces` is Jaeger's search.
    """
    identity = {"job": job, **labels}
    if environment:
        identity["deployment_environment_name"] = environment
    route = labels.get("http_route", "")
    uid = _board(kind, labels)
    dashboard = [f"http://127.0.0.1:3000/d/{uid}?var-job={quote(job)}"]
    if "instance" in labels:
        dashboard.append(f"var-instance={quote_plus(labels['instance'])}")
    if route:
        dashboard.append(f"var-route={quote_plus(route)}")
    dashboard += [f"from={1000 * (start - _HOUR)}", f"to={1000 * (start + _AFTER)}"]
    search = [f"http://127.0.0.1:16686/search?service={quote(job)}"]
    search += [traces.replace("ROUTE", quote_plus(route))] if traces else []
    search.append(f"lookback=custom&start={10**6 * (start - _HOUR)}")
    search.append(f"end={10**6 * (start + _AFTER)}")
    return {
        "exp_labels": {**identity, "severity": severity, "kind": kind, "level": level},
        "exp_annotations": {
            "summary": summary,
            "description": description,
            **({"cause": cause} if kind == "symptom" else {}),
            "runbook_url": f"http://127.0.0.1:9090/user/{alert}.md",
            "dashboard_url": "&".join(dashboard),
            **({} if kind == "watcher" else {"traces_url": "&".join(search)}),
        },
    }


def _board(kind: str, labels: dict[str, str]) -> str:
    if kind == "watcher":
        return "fastapi-pipeline"
    if "http_route" in labels:
        return "fastapi-route"
    if {"server_address", "db_client_connection_pool_name", "queue"} & set(labels):
        return "fastapi-dependencies"
    return "fastapi-runtime" if {"pool", "task"} & set(labels) else "fastapi-incident"
