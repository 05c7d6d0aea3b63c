"""The payment provider."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from demo_service.payments import ledger
from demo_service.payments.app import LARGEST_CHARGE_CENTS, create_app
from demo_service.payments.ledger import Ledger, NewCharge
from demo_service.settings import Settings
from tests.demo_service.running import in_process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

pytestmark = pytest.mark.anyio

CHARGE = {"amount_cents": 500, "currency": "EUR"}
KEY = {"Idempotency-Key": "one"}


@pytest.fixture
async def payments() -> AsyncIterator[httpx.AsyncClient]:
    async with in_process(create_app(Settings())) as client:
        yield client


async def test_a_repeated_key_makes_one_charge(payments: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(payments.post("/charges", json=CHARGE, headers=KEY) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await payments.post("/charges", json=CHARGE, headers={"Idempotency-Key": "two"})
    assert other.json()["id"] != answers[0].json()["id"]


async def test_a_key_belongs_to_one_amount(payments: httpx.AsyncClient) -> None:
    await payments.post("/charges", json=CHARGE, headers=KEY)
    more = CHARGE | {"amount_cents": 501}
    assert (await payments.post("/charges", json=more, headers=KEY)).status_code == 422


async def test_a_charge_above_the_limit_is_declined(payments: httpx.AsyncClient) -> None:
    much = CHARGE | {"amount_cents": LARGEST_CHARGE_CENTS + 1}
    assert (await payments.post("/charges", json=much, headers=KEY)).status_code == 402


async def test_a_charge_needs_a_key_and_an_amount(payments: httpx.AsyncClient) -> None:
    assert (await payments.post("/charges", json=CHARGE)).status_code == 422
    nothing = CHARGE | {"amount_cents": 0}
    assert (await payments.post("/charges", json=nothing, headers=KEY)).status_code == 422


def test_the_ledger_forgets_the_oldest_charges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_KEPT", 2)
    book, new = Ledger(), NewCharge(amount_cents=1, currency="EUR")
    first = book.charge("a", new)
    kept = [book.charge(key, new) for key in ("b", "c")]
    assert [book.charge(key, new) for key in ("b", "c")] == kept
    assert book.charge("a", new) != first
