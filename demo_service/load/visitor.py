"""A simulated user of the shop."""

from __future__ import annotations

import json
import random
import time
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

from geventhttpclient.client import HTTPClientPool
from locust import FastHttpUser

from demo_service import shape
from demo_service.catalogue import PRODUCTS, USERS
from demo_service.load import PERIOD_SECONDS
from demo_service.signatures import HEADER, sign

if TYPE_CHECKING:
    from demo_service.shape import Traffic

_CHANCE = random.Random()  # noqa: S311 - chance, no secret
_NO_SUCH_ORDER = 2_000_000_000
_AT_ONCE = 200


class Visitor(FastHttpUser):
    """Makes one request of the mix every `PERIOD_SECONDS`."""

    # One pool for all: a hundred users need only as many connections as are busy at once.
    client_pool = HTTPClientPool(concurrency=_AT_ONCE)
    connection_timeout = 5.0
    network_timeout = 30.0

    webhook_key: bytes
    orders: ClassVar[deque[int]] = deque(maxlen=500)
    """Ids of orders placed lately, by any visitor."""

    _next: float | None = None

    def wait_time(self) -> float:
        """Return the seconds until this user's next turn.

        Turns are a fixed time apart, so a slow answer does not lower the rate. The first is at
        a random moment, so that users who come together do not stay together.
        """
        now = time.monotonic()
        if self._next is None:
            self._next = now + _CHANCE.uniform(0, PERIOD_SECONDS)
        else:
            self._next = max(self._next + PERIOD_SECONDS, now)
        return self._next - now

    def on_start(self) -> None:
        """Wait for the first turn."""
        self.wait()  # type: ignore[no-untyped-call] # Locust leaves it so

    def list_products(self) -> None:
        """Look at a part of the list."""
        after = _CHANCE.choice((0, 0, 20))
        self._send(shape.LIST_PRODUCTS, f"/api/v1/products?after={after}")

    def get_product(self) -> None:
        """Look at one product."""
        self._send(shape.GET_PRODUCT, f"/api/v1/products/{_CHANCE.randint(1, len(PRODUCTS))}")

    def place_order(self) -> None:
        """Order something, and remember the order for others to look at."""
        answer = self._send(shape.PLACE_ORDER, "/api/v1/orders", self._order(_CHANCE.randint(1, 5)))
        if answer.status_code == shape.PLACE_ORDER.status:
            self.orders.append(answer.json()["id"])

    def bad_order(self) -> None:
        """Order nothing, which is refused."""
        self._send(shape.BAD_ORDER, "/api/v1/orders", self._order(0))

    def get_order(self) -> None:
        """Look at an order of late."""
        if not self.orders:
            self.place_order()
            return
        self._send(shape.GET_ORDER, f"/api/v1/orders/{_CHANCE.choice(self.orders)}")

    def lost_order(self) -> None:
        """Look for an order that does not exist."""
        self._send(shape.LOST_ORDER, f"/api/v1/orders/{_NO_SUCH_ORDER}")

    def list_users(self) -> None:
        """Look at the list of users."""
        self._send(shape.LIST_USERS, "/api/v1/users")

    def notify(self) -> None:
        """Report a settled payment, as the provider does."""
        if not self.orders:
            self.place_order()
            return
        notice = {"order_id": _CHANCE.choice(self.orders), "status": "settled"}
        self._send(shape.NOTIFY, "/api/v1/webhooks/payments", notice)

    def _order(self, quantity: int) -> dict[str, int]:
        return {
            "user_id": _CHANCE.randint(1, len(USERS)),
            "product_id": _CHANCE.randint(1, len(PRODUCTS)),
            "quantity": quantity,
        }

    def _send(self, kind: Traffic, path: str, document: dict[str, Any] | None = None) -> Any:
        headers = {"Content-Type": "application/json"}
        body = None
        if document is not None:
            body = json.dumps(document)
            headers[HEADER] = sign(self.webhook_key, body.encode(), time.time())
        with self.client.request(
            kind.method, path, name=kind.route, data=body, headers=headers, catch_response=True
        ) as answer:
            if answer.status_code == kind.status:
                answer.success()
            return answer

    # Locust draws from this list evenly, so every task is in it once for each percent.
    tasks = [  # noqa: RUF012 - declared by Locust, as a list
        task
        for task, kind in (
            (list_products, shape.LIST_PRODUCTS),
            (get_product, shape.GET_PRODUCT),
            (place_order, shape.PLACE_ORDER),
            (bad_order, shape.BAD_ORDER),
            (get_order, shape.GET_ORDER),
            (lost_order, shape.LOST_ORDER),
            (list_users, shape.LIST_USERS),
            (notify, shape.NOTIFY),
        )
        for _ in range(round(100 * kind.weight))
    ]
