"""The API's documents."""

from datetime import datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from demo_service.models import OrderStatus

Item = TypeVar("Item")


class Document(BaseModel):
    """A document that refuses what it does not know and can be read from a table's row."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Page(Document, Generic[Item]):
    """Part of a list. `next_after` is the `after` of the next part, or null at the end."""

    items: list[Item]
    next_after: int | None


class NewUser(Document):
    """A user to be registered."""

    name: str = Field(min_length=1, max_length=100)
    email: str = Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")


class UserView(NewUser):
    """A registered user."""

    id: int


class ProductView(Document):
    """A product and its price."""

    id: int
    sku: str
    name: str
    price_cents: int


class NewOrder(Document):
    """An order to be placed and paid."""

    user_id: int = Field(ge=1, le=2**31 - 1)
    product_id: int = Field(ge=1, le=2**31 - 1)
    quantity: int = Field(ge=1, le=100)


class OrderView(NewOrder):
    """An order and how far its payment is."""

    id: int
    total_cents: int
    status: OrderStatus
    charge_id: str | None
    created_at: datetime


class ReceiptView(Document):
    """An order's receipt; it has the order's id."""

    id: int
    total_cents: int
    issued_at: datetime


class PaymentNotice(Document):
    """What the payment provider reports about an order."""

    order_id: int = Field(ge=1, le=2**31 - 1)
    status: Literal[OrderStatus.SETTLED, OrderStatus.REFUNDED]
