"""The payment provider, as the orders service sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from demo_service.models import OrderStatus
from demo_service.problems import Problem
from instrumentation.outbound import async_client

if TYPE_CHECKING:
    from demo_service.models import Order
    from demo_service.settings import Settings


class PaymentError(Problem):
    """No charge was confirmed; `order_status` is what that means for the order."""

    def __init__(self, status: int, detail: str, order_status: OrderStatus) -> None:
        super().__init__(status, detail)
        self.order_status = order_status


class Payments:
    """Charges orders through a shared HTTP client."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def charge(self, order: Order) -> str:
        """Charge `order` and return the charge's id.

        Raises:
            PaymentError: Declined (402), provider failed (502) or too slow (504).
        """
        try:
            response = await self._client.post(
                "/charges",
                json={"amount_cents": order.total_cents, "currency": "EUR"},
                headers={"Idempotency-Key": order.payment_key},
            )
        except httpx.TimeoutException as error:
            # The charge may have gone through: the provider's webhook will tell.
            detail = "The payment provider did not answer in time."
            raise PaymentError(504, detail, OrderStatus.PENDING) from error
        except httpx.TransportError as error:
            detail = "The payment provider can't be reached."
            raise PaymentError(502, detail, OrderStatus.FAILED) from error
        if response.status_code == httpx.codes.PAYMENT_REQUIRED:
            raise PaymentError(402, "The payment was declined.", OrderStatus.DECLINED)
        if not response.is_success:
            raise PaymentError(502, "The payment provider failed.", OrderStatus.FAILED)
        return str(response.json()["id"])


def create_client(settings: Settings) -> httpx.AsyncClient:
    """Return the client for the provider; its owner closes it.

    A charge carries an idempotency key, so it is sent again where the provider was away or
    overloaded; not where it was late, because it may well be at work.
    """
    return async_client(
        base_url=settings.payments_base_url,
        connect_timeout=settings.payments_connect_timeout,
        read_timeout=settings.payments_timeout,
        # The provider is this demo's own: a proxy of the environment must not see the charges.
        trust_env=False,
    )
