"""Three faults that look alike from outside, told apart by the service's metrics alone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.demo_service.processes import answers, program, wait_until
from tests.demo_service.running import LOOPBACK, free_port

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

FAULTS: dict[str, dict[str, float]] = {
    "exhausted_threads": {"seconds": 0.5},
    "exhausted_pool": {},
    "blocked_loop": {"seconds": 0.3, "probability": 1.0},
}
REQUESTS = 9  # fewer than the pool has connections
BLOCKED_SECONDS = 1.0

LABELS = ("pool", "state", "db_client_connection_state")

Figures = dict[tuple[str, str], float]


async def scrape(client: httpx.AsyncClient) -> Figures:
    """Every series by its name, its pool and its state, summed over all else."""
    found: Figures = defaultdict(float)
    answer = await client.get("/metrics")
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            kind = [sample.labels[name] for name in LABELS if name in sample.labels]
            found[sample.name, "/".join(kind)] += sample.value
    return found


def diagnose(before: Figures, now: Figures) -> set[str]:
    """What is saturated."""
    blocked = "asyncio_event_loop_blocked_seconds_sum", ""
    threads, pool = "thread_pool_threads", "db_client_connection"
    told = {
        "exhausted_threads": now["thread_pool_waiting", "anyio"] > 0
        and now[threads, "anyio/used"] >= now[threads, "anyio/limit"] > 0,
        "exhausted_pool": now[f"{pool}_pending_requests", ""] > 0
        and now[f"{pool}_count", "used"] >= now[f"{pool}_max", ""] > 0,
        "blocked_loop": now[blocked] - before[blocked] > BLOCKED_SECONDS,
    }
    return {name for name, true in told.items() if true}


async def under_load(client: httpx.AsyncClient) -> set[str]:
    """Everything that was saturated at any moment while requests were answered."""
    before = await scrape(client)
    asked = [asyncio.create_task(client.get("/api/v1/products")) for _ in range(REQUESTS)]
    found: set[str] = set()
    while not all(task.done() for task in asked):
        found |= diagnose(before, await scrape(client))
        await asyncio.sleep(0.02)
    await asyncio.gather(*asked)
    # What the watchdog saw last is told a moment later.
    for _ in range(20):
        found |= diagnose(before, await scrape(client))
        await asyncio.sleep(0.05)
    return found


async def test_the_metrics_tell_what_is_exhausted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTEL_SDK_DISABLED")
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    settings = {
        "DEMO_PORT": str(port),
        "DEMO_ADMIN": "1",
        "DEMO_STATE_DIR": str(tmp_path),
        "OTEL_TRACES_EXPORTER": "none",
    }
    with program("demo_service", tmp_path / "log", **settings):
        wait_until(lambda: answers(f"{url}/readyz"), "the service")
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            assert await under_load(client) == set()
            for fault, more in FAULTS.items():
                body: dict[str, Any] = {"enabled": True, **more}
                address = f"/admin/faults/{fault}"
                (await client.put(address, json=body)).raise_for_status()
                assert await under_load(client) == {fault}
                (await client.put(address, json={"enabled": False})).raise_for_status()
                assert await under_load(client) == set()
