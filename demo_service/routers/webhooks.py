"""What other services report."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from demo_service.dependencies import CurrentSettings, Session
from demo_service.models import Order
from demo_service.problems import Problem
from demo_service.schemas import PaymentNotice
from demo_service.signatures import HEADER, verify


async def require_signature(
    request: Request, settings: CurrentSettings, signature: Annotated[str, Header(alias=HEADER)]
) -> None:
    """Refuse a message that the payment provider did not sign, or signed long ago."""
    body = await request.body()
    key, tolerance = settings.webhook_key, settings.webhook_tolerance
    if not verify(key, body, signature, time.time(), tolerance):
        raise Problem(401, "The signature does not fit this message.")


router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("/payments", status_code=204, dependencies=[Depends(require_signature)])
async def payment_notice(notice: PaymentNotice, session: Session) -> None:
    """Take note that a payment was settled or refunded; saying so twice changes nothing."""
    order = await session.get(Order, notice.order_id)
    if order is None:
        raise Problem(404, f"There is no order {notice.order_id}.")
    order.status = notice.status
    await session.commit()
