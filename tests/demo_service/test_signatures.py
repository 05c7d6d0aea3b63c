"""Signatures of webhooks, and the secret that they are made with."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from demo_service.signatures import kept_secret, sign, verify

if TYPE_CHECKING:
    from pathlib import Path

KEY, BODY = b"key", b'{"order_id": 1}'


def test_a_signature_holds_for_its_tolerance_and_no_longer() -> None:
    header = sign(KEY, BODY, at=1000.0)
    assert verify(KEY, BODY, header, now=1300.0, tolerance=300.0)
    assert not verify(KEY, BODY, header, now=1301.0, tolerance=300.0)
    assert not verify(KEY, BODY, header, now=699.0, tolerance=300.0)


@pytest.mark.parametrize("header", ["", "t=1000", "v1=00", "t=x,v1=00", "t=1000,v1=é", "t,v1"])
def test_a_malformed_header_is_no_signature(header: str) -> None:
    assert not verify(KEY, BODY, header, now=1000.0, tolerance=300.0)


def test_the_time_is_signed_too() -> None:
    digest = sign(KEY, BODY, at=1000.0).partition("v1=")[2]
    assert not verify(KEY, BODY, f"t=2000,v1={digest}", now=2000.0, tolerance=300.0)


def test_processes_that_start_together_keep_one_secret(tmp_path: Path) -> None:
    path = tmp_path / "state" / "secret"
    with ThreadPoolExecutor(16) as threads:
        secrets = set(threads.map(lambda _: kept_secret(path), range(64)))
    assert len(secrets) == 1
    assert len(secrets.pop()) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]
