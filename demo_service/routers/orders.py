"""Orders and their payment."""

from fastapi import APIRouter, BackgroundTasks

from demo_service.dependencies import (
    After,
    Id,
    Limit,
    PaymentProvider,
    ReceiptQueue,
    Session,
)
from demo_service.models import Order, OrderStatus, Product, Receipt, User
from demo_service.pagination import page
from demo_service.payments_client import PaymentError
from demo_service.problems import Problem
from demo_service.schemas import NewOrder, OrderView, Page, ReceiptView

router = APIRouter(prefix="/orders", tags=["orders"])


@router.get("")
async def list_orders(session: Session, after: After = 0, limit: Limit = 20) -> Page[OrderView]:
    """List orders, oldest first."""
    return await page(session, Order, OrderView, after=after, limit=limit)


@router.post("", status_code=201)
async def create_order(
    new: NewOrder,
    session: Session,
    payments: PaymentProvider,
    receipts: ReceiptQueue,
    later: BackgroundTasks,
) -> OrderView:
    """Place an order and charge it.

    The order is stored before the provider is asked, so that no charge is ever without one. Its
    receipt is asked for after the response: nobody waits for Redis.
    """
    user = await session.get(User, new.user_id)
    product = await session.get(Product, new.product_id)
    if user is None or product is None:
        raise Problem(422, "The user or the product of this order does not exist.")
    order = Order(**new.model_dump(), total_cents=product.price_cents * new.quantity)
    session.add(order)
    # Committing gives the connection back: none is held while the provider thinks.
    await session.commit()
    try:
        order.charge_id = await payments.charge(order)
        order.status = OrderStatus.PAID
    except PaymentError as error:
        order.status = error.order_status
        raise
    finally:
        await session.commit()
    if receipts is not None:
        later.add_task(receipts.ask, order.id)
    return OrderView.model_validate(order)


@router.get("/{order_id}/receipt")
async def get_receipt(order_id: Id, session: Session) -> ReceiptView:
    """Return an order's receipt."""
    receipt = await session.get(Receipt, order_id)
    if receipt is None:
        raise Problem(404, f"There is no receipt for order {order_id}, or not yet.")
    return ReceiptView.model_validate(receipt)


@router.get("/{order_id}")
async def get_order(order_id: Id, session: Session) -> OrderView:
    """Return one order."""
    order = await session.get(Order, order_id)
    if order is None:
        raise Problem(404, f"There is no order {order_id}.")
    return OrderView.model_validate(order)
