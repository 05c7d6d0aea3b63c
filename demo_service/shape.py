"""How much traffic there is when, and what it consists of.

The load generator follows it, and the past that a new stack starts with is made from it, so
that live traffic and history agree. Everything here is a pure function or plain data.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

_DAY_SECONDS = 86_400.0
_WEEK_SECONDS = 7 * _DAY_SECONDS
_DAILY_SWING = 0.20
_WEEKLY_SWING = 0.04
_PEAK_OF_DAY_SECONDS = 14 * 3600.0
_WEDNESDAY_NOON_SECONDS = 6.5 * _DAY_SECONDS  # The Unix epoch began on a Thursday.

MEAN_RATE: Final = 20.0
"""Requests a second to `orders`, on the average of a week."""

LOWEST_SHARE: Final = (
    (1 - _DAILY_SWING) * (1 - _WEEKLY_SWING) / ((1 + _DAILY_SWING) * (1 + _WEEKLY_SWING))
)
"""The quietest moment as a share of the busiest: above 0.6, so alerts have traffic at night."""


def rate(at: float, base: float = MEAN_RATE) -> float:
    """Return the requests a second to `orders` at `at` (Unix time in seconds, UTC).

    Two cosines, busiest at 14:00 and on Wednesday, quietest at 02:00 and between Saturday and
    Sunday. The mean over a whole week is `base`.
    """
    day = math.cos(2 * math.pi * (at - _PEAK_OF_DAY_SECONDS) / _DAY_SECONDS)
    week = math.cos(2 * math.pi * (at - _WEDNESDAY_NOON_SECONDS) / _WEEK_SECONDS)
    return base * (1 + _DAILY_SWING * day) * (1 + _WEEKLY_SWING * week)


class Traffic(NamedTuple):
    """One kind of request, with the values that its labels have.

    `weight` is its share of the requests to `orders`. The latency is lognormal: `mu` and
    `sigma` are those of its logarithm, in seconds (`exp(mu)` is the median).
    """

    job: str
    method: str
    route: str
    status: int
    weight: float
    mu: float
    sigma: float


LIST_PRODUCTS: Final = Traffic("orders", "GET", "/api/v1/products", 200, 0.40, -5.45, 0.45)
GET_PRODUCT: Final = Traffic(
    "orders", "GET", "/api/v1/products/{product_id}", 200, 0.15, -5.65, 0.45
)
PLACE_ORDER: Final = Traffic("orders", "POST", "/api/v1/orders", 201, 0.19, -3.95, 0.25)
BAD_ORDER: Final = Traffic("orders", "POST", "/api/v1/orders", 422, 0.01, -6.1, 0.45)
GET_ORDER: Final = Traffic("orders", "GET", "/api/v1/orders/{order_id}", 200, 0.10, -5.65, 0.45)
LOST_ORDER: Final = Traffic("orders", "GET", "/api/v1/orders/{order_id}", 404, 0.01, -5.55, 0.45)
LIST_USERS: Final = Traffic("orders", "GET", "/api/v1/users", 200, 0.06, -5.5, 0.45)
NOTIFY: Final = Traffic("orders", "POST", "/api/v1/webhooks/payments", 204, 0.08, -5.3, 0.45)
CHARGE: Final = Traffic("payments", "POST", "/charges", 201, PLACE_ORDER.weight, -5.1, 0.36)

MIX: Final = (
    LIST_PRODUCTS,
    GET_PRODUCT,
    PLACE_ORDER,
    BAD_ORDER,
    GET_ORDER,
    LOST_ORDER,
    LIST_USERS,
    NOTIFY,
    CHARGE,
)
"""All traffic while all is well. Every order that is placed makes one charge in `payments`."""
