"""What endpoints ask for: the settings, a database session, the payment provider."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import httpx
from fastapi import Depends, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from demo_service.payments_client import Payments
from demo_service.receipts.queue import Receipts
from demo_service.settings import Settings


@dataclass(frozen=True, slots=True)
class Resources:
    """What the application opens at start-up and closes at shutdown.

    There are no receipts where no Redis is named.
    """

    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    client: httpx.AsyncClient
    receipts: Receipts | None


def get_resources(request: Request) -> Resources:
    """Return the resources of the application that serves `request`."""
    resources: Resources = request.app.state.resources
    return resources


OpenResources = Annotated[Resources, Depends(get_resources)]


def get_settings(resources: OpenResources) -> Settings:
    """Return the application's settings."""
    return resources.settings


async def get_session(resources: OpenResources) -> AsyncIterator[AsyncSession]:
    """Lend a session; what was not committed is rolled back."""
    async with resources.sessions() as session:
        yield session


def get_payments(resources: OpenResources) -> Payments:
    """Return the payment provider behind the shared client."""
    return Payments(resources.client)


def get_receipts(resources: OpenResources) -> Receipts | None:
    """Return who asks for receipts, where that is possible."""
    return resources.receipts


CurrentSettings = Annotated[Settings, Depends(get_settings)]
# The connection goes back to the pool before the response is sent, however slow the client.
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
PaymentProvider = Annotated[Payments, Depends(get_payments)]
ReceiptQueue = Annotated[Receipts | None, Depends(get_receipts)]

_LARGEST_ID = 2**31 - 1  # PostgreSQL's INTEGER: a larger one would be a 500 instead of a 422.
Id = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
After = Annotated[int, Query(ge=0, le=_LARGEST_ID, description="Last id already seen.")]
Limit = Annotated[int, Query(ge=1, le=100)]
