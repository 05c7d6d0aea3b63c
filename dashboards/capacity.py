"""Capacity: what is used, what there is, what there should be."""

from __future__ import annotations

from typing import Final

from dashboards.model import Board, Column, Graph, Query, Row, Table
from dashboards.variables import INSTANCES, OF_INSTANCE, SERVICES
from dashboards.words import WINDOW
from instrumentation.contract import places, promql, queries
from instrumentation.contract.panels import saturation, service
from instrumentation.contract.panels.saturation import INSTANCE

_LEGEND: Final = "{{job}} {{instance}}"
_LITTLE: Final = (
    "Little's law: as many are busy on average as calls come a second, times the seconds that each "
    "takes."
)
_PEAK_SECONDS: Final = 300


def _throughput() -> Graph:
    return Graph(
        title="How many requests does each instance serve?",
        description="Requests a second, all processes of an instance together. Lines far apart "
        "are a load balancer that does not balance.",
        unit="requests",
        queries=(Query(queries.request_rate(INSTANCE, WINDOW, OF_INSTANCE), _LEGEND),),
        empty="No request in this range, or nothing is scraped",
    )


def _full() -> Graph:
    return Graph(
        title="What is full while they come?",
        description="Compare with the requests beside it: the line that reaches 100 % first is "
        "what limits an instance. Of the event loop: the time in which it stood still.",
        unit="ratio",
        queries=(
            Query(
                saturation.threads_taken(saturation.THREADS, OF_INSTANCE),
                f"threads {_LEGEND} {{{{pool}}}}",
            ),
            Query(
                saturation.connections_taken(saturation.CONNECTIONS, OF_INSTANCE),
                f"connections {_LEGEND} {{{{db_client_connection_pool_name}}}}",
            ),
            Query(saturation.loop_blocked(INSTANCE, WINDOW, OF_INSTANCE), f"loop {_LEGEND}"),
        ),
        empty="Nothing of it is measured for the chosen services",
    )


def _threads() -> Table:
    return _sizes(
        "Are there enough threads?",
        "anyio's pool runs every sync endpoint and dependency.",
        ("pool", "Pool"),
        saturation.threads_busy(_PEAK_SECONDS, OF_INSTANCE),
        saturation.threads_busy(promql.RANGE, OF_INSTANCE),
        saturation.threads_had(OF_INSTANCE),
    )


def _connections() -> Table:
    return _sizes(
        "Are there enough connections?",
        "A pool that can't grow any more makes callers wait.",
        ("db_client_connection_pool_name", "Pool"),
        saturation.connections_busy(_PEAK_SECONDS, OF_INSTANCE),
        saturation.connections_busy(promql.RANGE, OF_INSTANCE),
        saturation.connections_had(OF_INSTANCE),
    )


def _sizes(
    title: str, why: str, label: tuple[str, str], shortly: str, mean: str, had: str
) -> Table:
    peak = saturation.peak(shortly, 60)
    return Table(
        title=title,
        description=f"{why} {_LITTLE} Busy at the peak is the largest mean of 5 minutes; it should "
        "have that and twice its square root, which a random crowd exceeds in one moment of forty.",
        labels=(label, ("instance", "Instance"), ("job", "Service")),
        columns=(
            Column(title="Busy at the peak", expression=peak, unit="number"),
            Column(title="Busy on average", expression=mean, unit="number"),
            Column(title="Has", expression=had, unit="number"),
            Column(title="Should have", expression=saturation.wanted(peak), unit="number"),
        ),
        empty="None was used in this range",
    )


def _headroom() -> Graph:
    busy, had = saturation.threads_busy, saturation.threads_had
    out, open_ = saturation.connections_busy, saturation.connections_had
    return Graph(
        title="How much more could come?",
        description="Share that is free on average in the fullest pool of each instance: at 50 % "
        "twice as many requests fit, at 0 % none.",
        unit="ratio",
        queries=(
            Query(
                saturation.headroom(busy(WINDOW, OF_INSTANCE), had(OF_INSTANCE)),
                f"threads {_LEGEND}",
            ),
            Query(
                saturation.headroom(out(WINDOW, OF_INSTANCE), open_(OF_INSTANCE)),
                f"connections {_LEGEND}",
            ),
        ),
        empty="Neither threads nor connections were used",
        negative=True,
    )


def _cpu() -> Graph:
    return Graph(
        title="How much CPU does each instance use?",
        description="Cores. One process of Python uses little more than one. Not measured with "
        "several processes behind one address.",
        unit="number",
        queries=(Query(service.cpu(INSTANCE, WINDOW, OF_INSTANCE), _LEGEND),),
        empty="No process tells its CPU",
    )


def _cpu_a_request() -> Graph:
    return Graph(
        title="How much CPU does a request cost?",
        description="Seconds of CPU, everything that the process does divided by its requests. A "
        "step upward at a release is that release's.",
        unit="seconds",
        queries=(Query(service.cpu_a_request(INSTANCE, WINDOW, OF_INSTANCE), _LEGEND),),
        empty="No process tells its CPU",
    )


def _memory() -> Graph:
    return Graph(
        title="How much memory does each instance hold?",
        description="Resident memory.",
        unit="bytes",
        queries=(Query(service.memory(INSTANCE, OF_INSTANCE), _LEGEND),),
        empty="No process tells its memory",
    )


def _memory_a_request() -> Graph:
    return Graph(
        title="Does memory grow with each request?",
        description="Bytes by which an instance's memory grew for each request. What stays above "
        "zero for hours is a leak; below zero, memory was given back.",
        unit="bytes",
        queries=(Query(service.memory_a_request(INSTANCE, WINDOW, OF_INSTANCE), _LEGEND),),
        empty="No process tells its memory",
        negative=True,
    )


CAPACITY: Final = Board(
    name="capacity",
    uid=places.CAPACITY_DASHBOARD_UID,
    title="Capacity",
    description="Throughput against saturation, and the sizes that pools should have.",
    since="now-2d",
    refresh="",
    variables=(SERVICES, INSTANCES),
    rows=(
        Row("What limits an instance?", (_throughput(), _full(), _headroom())),
        Row("Sizes", (_threads(), _connections())),
        Row("CPU", (_cpu(), _cpu_a_request())),
        Row("Memory", (_memory(), _memory_a_request())),
    ),
)
