"""The worker: issues a receipt for each job, once, however often the job comes."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import dramatiq
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import AsyncIO, Middleware
from sqlalchemy.ext.asyncio import async_sessionmaker

from demo_service import database
from demo_service.models import Order, Receipt
from demo_service.receipts.queue import ISSUE, QUEUE, create_broker
from instrumentation import Settings as TelemetrySettings
from instrumentation import instrument_worker

if TYPE_CHECKING:
    from dramatiq.brokers.redis import RedisBroker
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

    from demo_service.settings import Settings

THREADS: Final = 4
_STOP_MILLISECONDS: Final = 5000


class OrderMissingError(LookupError):
    """The order of a job does not exist."""


def serve(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT.

    Raises:
        ValueError: a setting of the telemetry is wrong, or there is no Redis to ask.
    """
    if not settings.redis_url:
        raise ValueError("DEMO_REDIS_URL must name the Redis that holds the jobs")
    telemetry = instrument_worker(
        TelemetrySettings.from_env(
            prometheus_host=settings.host, prometheus_port=settings.receipts_port
        )
    )
    engine = database.create_engine(settings)
    broker = create_broker(settings.redis_url)
    broker.add_middleware(AsyncIO())
    broker.add_middleware(_Disposal(engine))
    declare_jobs(broker, async_sessionmaker(engine, expire_on_commit=False))
    with telemetry:
        _run(broker, f"receipts: http://{settings.host}:{settings.receipts_port}/metrics")
    broker.close()


def declare_jobs(broker: RedisBroker, sessions: async_sessionmaker[AsyncSession]) -> None:
    """Have `broker` know the jobs."""

    async def issue_receipt(order_id: int) -> None:
        async with sessions() as session:
            order = await session.get(Order, order_id)
            if order is None:
                raise OrderMissingError(f"there is no order {order_id}")
            if await session.get(Receipt, order_id) is None:
                issued = Receipt(id=order_id, total_cents=order.total_cents)
                issued.issued_at = datetime.now(UTC)
                session.add(issued)
                await session.commit()

    declare = dramatiq.actor(
        actor_name=ISSUE, queue_name=QUEUE, broker=broker, max_retries=5, min_backoff=1000
    )
    declare(issue_receipt)


def _run(broker: RedisBroker, ready: str) -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    worker = dramatiq.Worker(broker, worker_threads=THREADS)
    # A job that is fetched while no thread is free would wait where nobody sees it.
    worker.queue_prefetch = THREADS
    worker.start()
    sys.stdout.write(f"{ready}\n")
    sys.stdout.flush()
    stopped.wait()
    worker.stop(timeout=_STOP_MILLISECONDS)


class _Disposal(Middleware):
    """Closes the database's connections on the event loop that opened them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: Any) -> None:
        loop = get_event_loop_thread()
        if loop is not None:
            loop.run_coroutine(self._engine.dispose())
