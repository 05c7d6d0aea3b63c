"""FastAPI's own telemetry: off, or kept below our server span; never a second server span.

FastAPI has it since 0.142 and starts it before any middleware. There is no public switch on an
application that exists, so private names are touched here and nowhere else, and nothing is done
where a release doesn't have them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import context as otel
from opentelemetry.context import Context
from starlette.types import Scope

from instrumentation.telemetry import Telemetry

_RECORD: Final = "fastapi.telemetry"
_AS_IT_COMES: Final = {"tracing": True, "operation_spans": True, "exclude": None}
_STARLETTE: Final = "starlette.opentelemetry"


def switch_off(app: Any, *, keep: bool) -> Callable[[], None]:
    """Keep FastAPI from starting a server span; returns what restores its telemetry.

    Arguments:
        keep: leave its logs and metrics, and the exporters that it adds for them.
    """
    config = getattr(app, "_telemetry", None)
    if not isinstance(config, dict):
        return lambda: None
    before = dict(config)
    config.update(tracing=False)
    if not keep:
        config.update(metrics=False, logs=False, auto_configure=False)
    return lambda: config.update(before)


SILENCED: Final[dict[str, Any]] = {_RECORD: None, _STARLETTE: True}
"""In a scope, it keeps mounted applications and middlewares from telling of the request as well.

A mounted FastAPI application would start a server span where the first key is missing;
Starlette's experimental OpenTelemetryMiddleware skips a request that has the second.
"""


def silence_others(scope: Scope) -> None:
    """The same where FastAPI's telemetry is kept: a record that is there stays."""
    scope.setdefault(_RECORD, None)
    scope[_STARLETTE] = True


class Kept:
    """Has FastAPI make its spans of dependencies, endpoint and serialization below ours.

    They follow a record in the scope and in OpenTelemetry's context, which FastAPI makes along
    with its server span; here it is made without one.
    """

    def __init__(self, telemetry: Telemetry, config: dict[str, Any], api: Any) -> None:
        version = importlib.import_module("fastapi").__version__
        self._tracer = telemetry.tracer_provider.get_tracer("fastapi", version)
        self._exclude = config["exclude"]
        self._make, self._key = api._RequestTelemetry, api._REQUEST_TELEMETRY_KEY

    @classmethod
    def of(cls, app: Any, telemetry: Telemetry) -> Kept | None:
        """None where nothing is to be kept, or FastAPI is too old to have any telemetry.

        Below a Starlette application, FastAPI's are mounted: they have it as it comes.
        """
        config = getattr(app, "_telemetry", None) or _AS_IT_COMES
        wanted = telemetry.settings.fastapi_telemetry
        if not (wanted and config.get("tracing") and config.get("operation_spans")):
            return None
        try:
            return cls(telemetry, config, importlib.import_module("fastapi.telemetry._api"))
        except ImportError:
            return None
        except (AttributeError, KeyError) as error:
            telemetry.errors.report("fastapi", error)
            return None

    def begin(self, scope: Scope, context: Context) -> Context:
        """The context in which FastAPI makes its spans; the one given if it shall make none."""
        record = scope.get(_RECORD)
        if self._exclude is not None and self._exclude(scope):
            return context
        if record is None:
            record = scope[_RECORD] = self._make(span=None, span_method="")
        record.tracer = self._tracer
        return otel.set_value(self._key, record, context)

    def end(self, scope: Scope) -> None:
        """Let go of the request that the record holds, as FastAPI does at the end."""
        record = scope.pop(_RECORD, None)
        if record is not None:
            record.data = None
