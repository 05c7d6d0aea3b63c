"""Signatures of webhooks: proof that the provider sent this body, and lately."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from typing import TYPE_CHECKING

from commandline.files import demand_writable

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "Payments-Signature"


def sign(key: bytes, body: bytes, at: float) -> str:
    """Return the header's value for `body` sent at `at` (Unix time in seconds)."""
    return f"t={int(at)},v1={_digest(key, body, int(at))}"


def verify(key: bytes, body: bytes, header: str, now: float, tolerance: float) -> bool:
    """Tell whether `header` signs `body` and is at most `tolerance` seconds from `now`.

    The time is part of what is signed, so that an old message can't be sent again.
    """
    fields = dict(part.partition("=")[::2] for part in header.split(","))
    try:
        at = int(fields["t"])
        given = fields["v1"].encode()
    except (KeyError, ValueError):
        return False
    genuine = hmac.compare_digest(_digest(key, body, at).encode(), given)
    return genuine and abs(now - at) <= tolerance


def kept_secret(path: Path) -> bytes:
    """Read the secret in the file at `path`; make it first where there is none.

    The services and the load generator start together. Linking a finished file fails for all
    but the first, so that every process reads the same secret, and never half of one.
    """
    if not path.exists():
        demand_writable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft:
            draft.write(secrets.token_hex(32))
            draft.flush()
            with contextlib.suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_bytes()


def _digest(key: bytes, body: bytes, at: int) -> str:
    return hmac.new(key, b"%d." % at + body, hashlib.sha256).hexdigest()
