"""The same application, observed in different ways.

Each variant is made in a process of its own, since most of what the peers do is global.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, FastAPI

Flush = Callable[[], object]


@dataclass(frozen=True)
class Variant:
    """One way to observe an application.

    Args:
        title: what tables and charts call it.
        install: observes the application; returns what sends the last spans.
    """

    title: str
    install: Callable[[FastAPI], Flush]


def application(routers: int = 1) -> FastAPI:
    """A small application; the route that is asked for is in the last of its routers."""
    app = FastAPI()
    for number in range(routers):
        router = APIRouter(prefix=f"/r{number}")

        @router.get("/items/{item}")
        async def read(item: int) -> dict[str, int]:
            return {"item": item}

        app.include_router(router)
    return app


def path(routers: int = 1) -> str:
    """The path of the last router's route."""
    return f"/r{routers - 1}/items/1"


def _bare(app: FastAPI) -> Flush:
    return _nothing


def _nothing() -> None:
    return None


def _ours(**settings: Any) -> Callable[[FastAPI], Flush]:
    def install(app: FastAPI) -> Flush:
        from instrumentation import Settings, instrument

        return instrument(app, Settings.from_env(**settings)).flush

    return install


def _sdk(globally: bool) -> Any:
    """The SDK's provider with its own batching exporter, as the peers' manuals set it up."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    if globally:
        trace.set_tracer_provider(provider)
    return provider


def _fastapi(app: FastAPI) -> Flush:
    flush: Flush = _sdk(globally=True).force_flush
    return flush


def _contrib(app: FastAPI) -> Flush:
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    provider = _sdk(globally=False)
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=provider, exclude_spans=["send", "receive"]
    )
    flush: Flush = provider.force_flush
    return flush


def _instrumentator(app: FastAPI) -> Flush:
    from prometheus_fastapi_instrumentator import Instrumentator

    Instrumentator().instrument(app).expose(app)
    return _nothing


def _contrib_and_instrumentator(app: FastAPI) -> Flush:
    _instrumentator(app)
    return _contrib(app)


def _starlette_exporter(app: FastAPI) -> Flush:
    from starlette_exporter import PrometheusMiddleware, handle_metrics

    app.add_middleware(PrometheusMiddleware, group_paths=True)
    app.add_route("/metrics", handle_metrics)
    return _nothing


VARIANTS: Final = {
    "bare": Variant("the bare application", _bare),
    "ours": Variant("this library, every request sampled", _ours()),
    "ours-10": Variant(
        "this library, 10 % sampled", _ours(sampler="parentbased_traceidratio", sampler_ratio=0.1)
    ),
    "ours-metrics": Variant("this library, metrics only", _ours(traces_exporter="none",
                                                               sampler="always_off")),
    "fastapi": Variant("FastAPI's own telemetry", _fastapi),
    "contrib": Variant("opentelemetry-instrumentation-fastapi", _contrib),
    "instrumentator": Variant("prometheus-fastapi-instrumentator (no traces)", _instrumentator),
    "contrib+instrumentator": Variant("the two before together", _contrib_and_instrumentator),
    "starlette-exporter": Variant("starlette-exporter (no traces)", _starlette_exporter),
}  # fmt: skip


def build(name: str, routers: int = 1) -> tuple[FastAPI, Flush]:
    """The application of a variant, and what sends its last spans."""
    app = application(routers)
    return app, VARIANTS[name].install(app)


def served() -> FastAPI:
    """The application for uvicorn: `BENCH_VARIANT` names the variant."""
    return build(os.environ["BENCH_VARIANT"])[0]
