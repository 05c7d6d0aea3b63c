"""Lists in parts, by key: a part costs the same however far down the list it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import select

from demo_service.models import Base
from demo_service.schemas import Document, Page

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

Row = TypeVar("Row", bound=Base)
View = TypeVar("View", bound=Document)


async def page(
    session: AsyncSession, table: type[Row], view: type[View], *, after: int, limit: int
) -> Page[View]:
    """Return up to `limit` rows of `table` whose id is larger than `after`, as `view`s."""
    # One more than asked for tells whether there is a next part, without counting the table.
    query = select(table).where(table.id > after).order_by(table.id).limit(limit + 1)
    rows = list(await session.scalars(query))
    items = [view.model_validate(row) for row in rows[:limit]]
    return Page(items=items, next_after=rows[limit - 1].id if len(rows) > limit else None)
