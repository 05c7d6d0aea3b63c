"""Dramatiq: the trace through its queues, and what waits in them.

    broker = RedisBroker(url=...)
    instrument_broker(broker)

in the service and in the worker alike; a worker that serves no requests calls
`instrumentation.instrument_worker()` too.
"""

from __future__ import annotations

import time
import weakref
from typing import Any, Final

from instrumentation.extras import remedy

try:
    import dramatiq
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"this needs Dramatiq: {remedy('dramatiq')}") from error
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import q_name
from dramatiq.middleware import Interrupt, Middleware

from instrumentation.background.backlog import Backlog, Waiting
from instrumentation.background.messages import Processing, Sending, dead, expect
from instrumentation.context import active

_CARRIER: Final = "trace"
_ENQUEUED_AT: Final = "enqueued_at"
_TIMEOUT_SECONDS: Final = 1.0

_instrumented: weakref.WeakSet[dramatiq.Broker] = weakref.WeakSet()


def instrument_broker(broker: dramatiq.Broker) -> None:
    """Trace the jobs of `broker` from `send` to the end of the actor, and measure its queues.

    A second call changes nothing. Depth and age are read from a Redis broker alone.

    Raises:
        TypeError: `broker` is no Dramatiq broker.
    """
    if not isinstance(broker, dramatiq.Broker):
        raise TypeError(f"instrument_broker() needs a Dramatiq broker, got {broker!r}")
    if broker in _instrumented:
        return
    _instrumented.add(broker)
    backlog = Backlog(RedisQueues(broker)) if isinstance(broker, RedisBroker) else None
    system = "redis" if isinstance(broker, RedisBroker) else "dramatiq"
    _trace_enqueue(broker, system, backlog)
    broker.add_middleware(TelemetryMiddleware(system, backlog))


def _trace_enqueue(broker: dramatiq.Broker, system: str, backlog: Backlog | None) -> None:
    """Wrap `enqueue`: a middleware isn't told of one that fails, because Redis is away."""
    original = broker.enqueue

    def enqueue(
        message: dramatiq.Message[Any], *, delay: int | None = None
    ) -> dramatiq.Message[Any]:
        if backlog is not None:
            backlog.show()
        stamp = {_ENQUEUED_AT: int(time.time() * 1000)}
        if _CARRIER in message.options:
            # A retry, or a delayed job whose time has come: of the trace that it has already.
            return original(message.copy(options=stamp), delay=delay)
        sending = Sending(
            q_name(message.queue_name),
            message.actor_name,
            system=system,
            message_id=message.message_id,
        )
        with sending:
            stamped = message.copy(options={**stamp, _CARRIER: sending.carrier})
            return original(stamped, delay=delay)

    broker.enqueue = enqueue  # type: ignore[method-assign]


class TelemetryMiddleware(Middleware):
    """Sees each job in the worker, from before the actor to after it.

    Arguments:
        system: the spans' `messaging.system`.
        backlog: what waits, where that can be read.
    """

    def __init__(self, system: str, backlog: Backlog | None = None) -> None:
        self._system = system
        self._backlog = backlog
        self._processing: dict[str, Processing] = {}

    def before_worker_boot(self, broker: dramatiq.Broker, worker: Any) -> None:
        """Start what exports: a worker has no lifespan, and forks after its imports."""
        for telemetry in tuple(active):
            telemetry.start()
        for queue in broker.get_declared_queues():
            expect(queue)
        if self._backlog is not None:
            self._backlog.show()

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: Any) -> None:
        """Export the last spans: the process ends without Python's own exit."""
        for telemetry in tuple(active):
            telemetry.flush()

    def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
        """Begin the job's span in the thread that will run the actor."""
        self._processing[message.message_id] = Processing(
            q_name(message.queue_name),
            message.actor_name,
            message.options.get(_CARRIER),
            system=self._system,
            message_id=message.message_id,
            attempt=int(message.options.get("retries", 0)) + 1,
        )

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: Any,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """End it; a worker that stops interrupts an actor, and its job comes again."""
        processing = self._processing.pop(message.message_id, None)
        if processing is None:
            return
        if exception is None:
            processing.end()
        elif isinstance(exception, Interrupt):
            processing.end("cancelled", exception)
        else:
            processing.end("error", exception)

    def after_skip_message(self, broker: dramatiq.Broker, message: Any) -> None:
        """Another middleware has skipped the job."""
        processing = self._processing.pop(message.message_id, None)
        if processing is not None:
            processing.end("cancelled")

    def after_nack(self, broker: dramatiq.Broker, message: Any) -> None:
        """The job was given up: no attempt is left, or it is too old."""
        dead(q_name(message.queue_name))


class RedisQueues:
    """Reads what waits in the queues of a Redis broker.

    Jobs that a worker has fetched ahead wait in its memory and aren't seen: by default twice as
    many as it has threads. With `dramatiq_queue_prefetch` set to the number of threads none do.
    Delayed jobs wait for their time, and are no backlog.
    """

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker
        self._client: Any = None

    def __call__(self) -> dict[str, Waiting]:
        """What waits in each queue that the broker knows."""
        queues = sorted(self._broker.get_declared_queues())
        names = [f"{self._broker.namespace}:{queue}" for queue in queues]
        client = self._own_client()
        lengths = client.pipeline(transaction=False)
        for name in names:
            lengths.llen(name)
            lengths.lindex(name, 0)
        told = lengths.execute()
        depths, oldest = told[::2], told[1::2]
        jobs = client.pipeline(transaction=False)
        for name, key in zip(names, oldest, strict=True):
            jobs.hget(f"{name}.msgs", key or "")
        return {
            queue: Waiting(depth, _age(job))
            for queue, depth, job in zip(queues, depths, jobs.execute(), strict=True)
        }

    def _own_client(self) -> Any:
        """A client with a short time-out: the broker's may wait for ever, and a scrape can't."""
        if self._client is None:
            pool = self._broker.client.connection_pool
            timeouts = {
                "socket_timeout": _TIMEOUT_SECONDS,
                "socket_connect_timeout": _TIMEOUT_SECONDS,
                "retry": None,
            }
            arguments = {**pool.connection_kwargs, **timeouts}
            mine = type(pool)(connection_class=pool.connection_class, **arguments)
            self._client = type(self._broker.client)(connection_pool=mine)
        return self._client


def _age(job: bytes | None) -> float:
    """Seconds since the job was put into the queue; 0 where it was fetched meanwhile."""
    if job is None:
        return 0.0
    message = dramatiq.Message.decode(job)
    stamp = message.options.get(_ENQUEUED_AT, message.message_timestamp)
    return max(0.0, time.time() - float(stamp) / 1000)
