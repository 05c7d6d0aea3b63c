"""The tables."""

import enum
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import DateTime, Dialect, ForeignKey, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What all tables share: a number as the key, which is also the order of lists."""

    id: Mapped[int] = mapped_column(primary_key=True)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. SQLite forgets the time zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` with its time zone."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class OrderStatus(enum.StrEnum):
    """Where an order stands with the payment provider."""

    PENDING = "pending"
    PAID = "paid"
    DECLINED = "declined"
    FAILED = "failed"
    SETTLED = "settled"
    REFUNDED = "refunded"


class User(Base):
    """Somebody who orders."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254), unique=True)


class Product(Base):
    """Something that can be ordered."""

    __tablename__ = "products"

    sku: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    price_cents: Mapped[int]


class Receipt(Base):
    """The receipt of the order with the same id: there is never a second one."""

    __tablename__ = "receipts"

    id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True, autoincrement=False)
    total_cents: Mapped[int]
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Order(Base):
    """One product, ordered by one user."""

    __tablename__ = "orders"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int]
    total_cents: Mapped[int]
    status: Mapped[str] = mapped_column(String(16), default=OrderStatus.PENDING)
    payment_key: Mapped[str] = mapped_column(String(36), default=lambda: str(uuid4()))
    charge_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=lambda: datetime.now(UTC))
