"""Who may switch faults, and what the switch says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from demo_service import app as orders
from demo_service.payments import app as payments
from demo_service.settings import Settings
from tests.demo_service.running import in_process

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    from fastapi import FastAPI

pytestmark = pytest.mark.anyio

NAMES = [
    "blocked_loop",
    "errors",
    "exhausted_pool",
    "exhausted_threads",
    "slow_dependency",
    "slow_tail",
]
ON = {"enabled": True}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/orders.db"


async def test_faults_are_listed_and_off_at_first(client: httpx.AsyncClient) -> None:
    faults = (await client.get("/admin/faults")).json()
    assert sorted(fault["name"] for fault in faults) == NAMES
    assert not any(fault["enabled"] for fault in faults)


async def test_an_unknown_fault_is_answered_with_the_known_ones(client: httpx.AsyncClient) -> None:
    answer = await client.put("/admin/faults/gremlins", json=ON)
    assert answer.status_code == 404
    assert answer.json()["faults"] == NAMES


@pytest.mark.parametrize(
    "body",
    [{}, {"enabled": "perhaps"}, ON | {"probability": 1.5}, ON | {"seconds": 0}, ON | {"when": 1}],
)
async def test_a_body_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    answer = await client.put("/admin/faults/errors", json=body)
    assert answer.status_code == 422
    assert (await client.get("/admin/faults")).json()[1]["enabled"] is False


@pytest.mark.parametrize("service", [orders.create_app, payments.create_app])
async def test_without_the_setting_there_is_no_switch_and_no_fault(
    service: Any, settings: Settings
) -> None:
    app = service(settings.model_copy(update={"admin": False}))
    async with in_process(app) as client:
        assert (await client.get("/admin/faults")).status_code == 404
        assert (await client.put("/admin/faults/errors", json=ON)).status_code == 404
    assert not [route for route in app.routes if "admin" in getattr(route, "path", "")]


@pytest.mark.parametrize("peer", ["10.1.2.3", "192.168.0.1", "::ffff:10.1.2.3", "testclient", ""])
async def test_a_client_elsewhere_is_refused(app: FastAPI, peer: str) -> None:
    async with in_process(app, peer=peer) as client:
        claim = {"X-Forwarded-For": "127.0.0.1"}
        for headers in ({}, claim):
            answer = await client.put("/admin/faults/errors", json=ON, headers=headers)
            assert answer.status_code == 403
            assert (await client.get("/admin/faults", headers=headers)).status_code == 403
    assert not any(fault.enabled for fault in app.state.faults.every)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1"])
async def test_a_client_on_this_machine_is_served(app: FastAPI, peer: str) -> None:
    async with in_process(app, peer=peer) as client:
        assert (await client.put("/admin/faults/errors", json=ON)).status_code == 200


async def test_a_request_through_a_proxy_is_not_local(client: httpx.AsyncClient) -> None:
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        answer = await client.put("/admin/faults/errors", json=ON, headers={header: "127.0.0.1"})
        assert answer.status_code == 403


async def test_a_provider_without_a_switch_is_a_502(settings: Settings, app: FastAPI) -> None:
    closed = settings.model_copy(update={"payments_url": "http://127.0.0.1:9"})
    async with in_process(orders.create_app(closed)) as client:
        answer = await client.put("/admin/faults/slow_dependency", json=ON)
        assert answer.status_code == 502
        assert (await client.get("/admin/faults")).json()[3]["enabled"] is False
