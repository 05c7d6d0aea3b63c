"""The orders service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import async_sessionmaker

from demo_service import database, problems
from demo_service.dependencies import Resources
from demo_service.faults.admin import admin_router
from demo_service.faults.orders import OrdersFaults, orders_faults
from demo_service.payments_client import create_client
from demo_service.receipts.queue import Receipts, create_broker
from demo_service.routers import ROUTERS, health
from demo_service.seed import seed
from demo_service.settings import Settings
from instrumentation import instrument

API = "/api/v1"


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the orders service; `settings` default to the environment's."""
    settings = settings or Settings()
    app = FastAPI(title="Orders", version="1.0.0", lifespan=_lifespan)
    app.state.settings = settings
    app.state.faults = orders_faults(lambda: app.state.resources) if settings.admin else None
    problems.install(app)
    _include_routes(app, app.state.faults)
    instrument(app)
    return app


def _include_routes(app: FastAPI, faults: OrdersFaults | None) -> None:
    app.include_router(health.router)
    for router in ROUTERS:
        struck_by = faults.before(router.prefix) if faults else []
        app.include_router(router, prefix=API, dependencies=struck_by)
    if faults:
        app.include_router(admin_router(faults.every))


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    engine = database.create_engine(settings)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    receipts = Receipts(create_broker(settings.redis_url)) if settings.redis_url else None
    try:
        await database.create_tables(engine)
        await seed(sessions)
        async with create_client(settings) as client:
            app.state.resources = Resources(settings, engine, sessions, client, receipts)
            yield
            for fault in app.state.faults.every if app.state.faults else ():
                await fault.close()
    finally:
        if receipts is not None:
            receipts.close()
        await engine.dispose()
