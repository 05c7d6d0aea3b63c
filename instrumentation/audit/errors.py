"""What keeps an audit from being made."""

from __future__ import annotations


class AuditError(Exception):
    """One sentence for whoever has started the audit."""
