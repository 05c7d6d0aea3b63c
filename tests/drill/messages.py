"""Messages in the form that Alertmanager's webhooks have, version 4."""

from datetime import UTC, datetime
from typing import Any


def message(
    receiver: str,
    status: str,
    *alerts: str,
    severity: str = "critical",
    began: datetime | None = None,
) -> dict[str, Any]:
    """What Alertmanager sends to a receiver about alerts of the orders service."""
    return {
        "version": "4",
        "receiver": receiver,
        "status": status,
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": alert, "job": "orders", "severity": severity},
                "startsAt": (began or datetime.now(UTC)).isoformat(),
                "annotations": {"summary": f"{alert} of orders"},
            }
            for alert in alerts
        ],
    }
