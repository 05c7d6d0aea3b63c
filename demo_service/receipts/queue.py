"""The queue, as the orders service and the worker both see it."""

from __future__ import annotations

import logging
from typing import Any, Final

from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from instrumentation.background.dramatiq import instrument_broker

QUEUE: Final = "receipts"
ISSUE: Final = "issue_receipt"

logger = logging.getLogger("demo_service.receipts")


def create_broker(url: str) -> RedisBroker:
    """Return a broker that is traced and measured; its owner closes it."""
    client = Redis.from_url(
        url,
        socket_connect_timeout=0.5,
        socket_timeout=2.0,
        # Who asks for a receipt can't wait, and the worker tries again by itself.
        retry=Retry(NoBackoff(), 0),
    )
    make: Any = RedisBroker  # its constructor has no types
    broker: RedisBroker = make(client=client)
    broker.declare_queue(QUEUE)
    instrument_broker(broker)
    return broker


class Receipts:
    """Asks for receipts."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker

    def ask(self, order_id: int) -> None:
        """Ask for an order's receipt, and wait until Redis has the job.

        An order is worth more than its receipt: a Redis that is away is an error in the log.
        """
        job: Message[Any] = Message(QUEUE, ISSUE, (order_id,), {}, {})
        try:
            self._broker.enqueue(job)
        except RedisError as error:
            logger.error("order %d gets no receipt, since Redis does not work: %s", order_id, error)

    def close(self) -> None:
        """Close the connections."""
        self._broker.close()
        self._broker.client.close()
