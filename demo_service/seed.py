"""Fills a new database, so that there is something to look at and to order."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from demo_service.catalogue import PRODUCTS, USERS
from demo_service.models import Product, User

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker


async def seed(sessions: async_sessionmaker[AsyncSession]) -> None:
    """Insert the catalogue and some users where the database has no product."""
    async with sessions() as session:
        if await session.scalar(select(Product.id).limit(1)) is not None:
            return
        session.add_all(Product(**product._asdict()) for product in PRODUCTS)
        session.add_all(User(name=name, email=email) for name, email in USERS)
        # Another worker that seeds at the same moment has inserted the very same rows.
        with contextlib.suppress(IntegrityError):
            await session.commit()
