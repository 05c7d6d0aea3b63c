"""Messages in the form that Alertmanager's webhooks have, version 4."""

from datetime import UTC, datetime
from typing import Any


def message(
    receiver: str,
    status: str,
    *alerts: str,
    severity: str = "critical",
    job: str = "orders",
    began: datetime | None = None,
) -> dict[str, Any]:
    """What Alertmanager sends to a receiver about alerts of a service."""
    return {
        "version": "4",
        "receiver": receiver,
        "status": status,
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": alert, "job": job, "severity": severity},
                "startsAt": (began or datetime.now(UTC)).isoformat(),
                "annotations": {"summary": f"{alert} of {job}"},
            }
            for alert in alerts
        ],
    }
