"""The orders API, on SQLite and on PostgreSQL, with the real payment provider behind it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from demo_service import app as orders
from demo_service.catalogue import PRODUCTS, USERS
from demo_service.signatures import HEADER, sign
from tests.demo_service.conftest import SECRET
from tests.demo_service.running import free_port, in_process, under_uvicorn

if TYPE_CHECKING:
    from demo_service.settings import Settings

pytestmark = pytest.mark.anyio

ORDER = {"user_id": 1, "product_id": 2, "quantity": 3}


async def place_order(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/api/v1/orders", json=ORDER)
    assert answer.status_code == 201
    order: dict[str, Any] = answer.json()
    return order


def signed(body: bytes, at: float, key: bytes = SECRET.encode()) -> dict[str, str]:
    return {"Content-Type": "application/json", HEADER: sign(key, body, at)}


async def test_an_order_is_stored_charged_and_can_be_read(client: httpx.AsyncClient) -> None:
    order = await place_order(client)
    assert order["status"] == "paid"
    assert order["charge_id"].startswith("ch_")
    assert order["total_cents"] == 3 * PRODUCTS[1].price_cents
    assert (await client.get(f"/api/v1/orders/{order['id']}")).json() == order


async def test_orders_placed_at_once_are_all_stored(client: httpx.AsyncClient) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(place_order(client)) for _ in range(30)]
    placed = [task.result() for task in tasks]
    assert len({order["id"] for order in placed}) == 30
    assert len({order["charge_id"] for order in placed}) == 30


async def test_a_new_database_is_filled_once(settings: Settings) -> None:
    for _ in range(2):
        async with in_process(orders.create_app(settings)) as client:
            products = (await client.get("/api/v1/products?limit=100")).json()
            users = (await client.get("/api/v1/users?limit=100")).json()
    assert len(products["items"]) == len(PRODUCTS)
    assert len(users["items"]) == len(USERS)


async def test_a_list_read_in_parts_is_the_whole_list(client: httpx.AsyncClient) -> None:
    seen, after, parts = [], 0, 0
    while after is not None:
        part = (await client.get(f"/api/v1/products?limit=7&after={after}")).json()
        seen += [product["sku"] for product in part["items"]]
        after, parts = part["next_after"], parts + 1
    assert seen == [product.sku for product in PRODUCTS]
    assert parts == -(-len(PRODUCTS) // 7)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/orders/2000000000", 404),
        ("/api/v1/orders/9999999999999", 422),
        ("/api/v1/products/0", 422),
        ("/api/v1/users?limit=101", 422),
        ("/api/v1/users?after=-1", 422),
        ("/nowhere", 404),
    ],
)
async def test_an_error_is_a_problem_document(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["instance"] == path.partition("?")[0]


@pytest.mark.parametrize("wrong", [{"quantity": 0}, {"user_id": 999}, {"colour": "red"}])
async def test_an_order_that_is_not_valid_is_refused(
    client: httpx.AsyncClient, wrong: dict[str, Any]
) -> None:
    answer = await client.post("/api/v1/orders", json=ORDER | wrong)
    assert answer.status_code == 422
    assert (await client.get("/api/v1/orders")).json()["items"] == []


async def test_an_email_address_is_registered_once(client: httpx.AsyncClient) -> None:
    user = {"name": "Ada", "email": "ada@shop.example"}
    created = await client.post("/api/v1/users", json=user)
    assert created.status_code == 201
    assert (await client.get(f"/api/v1/users/{created.json()['id']}")).json() == created.json()
    assert (await client.post("/api/v1/users", json=user)).status_code == 409


async def test_a_declined_payment_is_a_402_and_marks_the_order(client: httpx.AsyncClient) -> None:
    dear = ORDER | {"product_id": len(PRODUCTS), "quantity": 100}
    assert (await client.post("/api/v1/orders", json=dear)).status_code == 402
    assert (await client.get("/api/v1/orders")).json()["items"][0]["status"] == "declined"


async def test_a_provider_that_is_gone_is_a_502(settings: Settings) -> None:
    gone = settings.model_copy(update={"payments_url": f"http://127.0.0.1:{free_port()}"})
    async with in_process(orders.create_app(gone)) as client:
        answer = await client.post("/api/v1/orders", json=ORDER)
        assert (answer.status_code, answer.json()["title"]) == (502, "Bad Gateway")
        assert (await client.get("/api/v1/orders")).json()["items"][0]["status"] == "failed"


async def test_a_signed_notice_settles_an_order(client: httpx.AsyncClient) -> None:
    order = await place_order(client)
    body = json.dumps({"order_id": order["id"], "status": "settled"}).encode()
    for _ in range(2):
        headers = signed(body, time.time())
        answer = await client.post("/api/v1/webhooks/payments", content=body, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await client.get(f"/api/v1/orders/{order['id']}")).json()["status"] == "settled"


async def test_a_notice_without_a_right_signature_changes_nothing(
    client: httpx.AsyncClient,
) -> None:
    order = await place_order(client)
    body = json.dumps({"order_id": order["id"], "status": "refunded"}).encode()
    now = time.time()
    forged = [
        signed(body, now, key=b"another"),
        signed(body, now - 3600),
        signed(body + b" ", now),
        signed(body, now) | {HEADER: "t=soon,v1=none"},
    ]
    for headers in forged:
        answer = await client.post("/api/v1/webhooks/payments", content=body, headers=headers)
        assert answer.status_code == 401
    assert (await client.get(f"/api/v1/orders/{order['id']}")).json()["status"] == "paid"


async def test_health_tells_alive_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_the_service_runs_under_uvicorn(settings: Settings) -> None:
    async with (
        under_uvicorn(orders.create_app(settings)) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        order = await place_order(client)
        assert (await client.get(f"/api/v1/orders/{order['id']}")).json() == order
