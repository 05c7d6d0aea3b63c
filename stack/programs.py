"""The programs of the native stack: how each is started, and how one sees that it is ready."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack.binaries import binary, redis_server
from stack.environment import REPOSITORY
from stack.options import Options

BACKENDS, COLLECTOR, PROVIDER, SERVICE, WORKER, LOAD = range(1, 7)


@dataclass(frozen=True)
class Program:
    """One long-running program.

    Args:
        name: what messages and the log file call it.
        stage: programs start in ascending order of it, each stage once the one before is ready,
            and stop in descending order.
        command: program and arguments.
        ports: variables of the ports it listens on.
        ready: URL that answers 200 once it works, or a Redis that answers a ping.
        environment: variables on top of the runner's own.
    """

    name: str
    stage: int
    command: tuple[str, ...]
    ports: tuple[str, ...]
    ready: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_service(self) -> bool:
        """Whether it is a Python service that speaks OpenTelemetry's variables."""
        return self.stage > COLLECTOR


# Of `--rules.alert.resend-delay`, in milliseconds.
RESEND_DELAY_MS = 60_000

SERVICES = ("payments", "orders", "receipts", "load")
_SERVICE_PORTS = ("DEMO_PORT", "PAYMENTS_PORT", "RECEIPTS_PORT", "LOAD_PORT")
NAMES = ("prometheus", "receiver", "alertmanager", "jaeger", "redis", "collector", *SERVICES)


def programs(options: Options) -> tuple[Program, ...]:
    """Return the programs that were asked for; this builds the binaries they need."""
    makers = {
        "prometheus": _prometheus,
        "receiver": _receiver,
        "alertmanager": _alertmanager,
        "jaeger": _jaeger,
        "redis": _redis,
        "collector": _collector,
        "payments": _payments,
        "orders": _orders,
        "receipts": _receipts,
        "load": _load,
    }
    return tuple(makers[name](options) for name in NAMES if name in (options.only or NAMES))


def _prometheus(options: Options) -> Program:
    address = options.address("PROMETHEUS_PORT")
    return Program(
        name="prometheus",
        stage=BACKENDS,
        command=(
            str(binary("prometheus")),
            f"--config.file={options.config}/prometheus.yml",
            f"--storage.tsdb.path={options.data}/prometheus",
            f"--web.listen-address={address}",
            # Links in notifications would carry the machine's name, where nothing listens.
            f"--web.external-url=http://{address}",
            "--web.enable-otlp-receiver",
            "--enable-feature=exemplar-storage",
            # An alert's runbook_url leads to /user/<Alert>.md.
            f"--web.user-assets={REPOSITORY}/alerts/runbooks",
            *_scaled_resend_delay(options),
        ),
        ports=("PROMETHEUS_PORT",),
        ready=f"http://{address}/-/ready",
    )


def _scaled_resend_delay(options: Options) -> tuple[str, ...]:
    """How soon an alert comes again that Alertmanager missed before it was discovered."""
    if options.scale == 1:
        return ()
    return (f"--rules.alert.resend-delay={RESEND_DELAY_MS / options.scale:.0f}ms",)


def _receiver(options: Options) -> Program:
    return Program(
        name="receiver",
        stage=BACKENDS,
        command=(sys.executable, "-m", "stack.receiver"),
        ports=("RECEIVER_PORT",),
        ready=f"http://{options.address('RECEIVER_PORT')}/",
        environment={"RECEIVER_PORT": options.ports["RECEIVER_PORT"]},
    )


def _alertmanager(options: Options) -> Program:
    address = options.address("ALERTMANAGER_PORT")
    return Program(
        name="alertmanager",
        stage=BACKENDS,
        command=(
            str(binary("alertmanager")),
            f"--config.file={options.alertmanager_file}",
            f"--storage.path={options.data}/alertmanager",
            f"--web.listen-address={address}",
            f"--web.external-url=http://{address}",
            # An empty address switches clustering, and its port, off.
            "--cluster.listen-address=",
            # With the default of 15 minutes a crash between page and resolution loses the
            # resolved message.
            "--data.maintenance-interval=15s",
        ),
        ports=("ALERTMANAGER_PORT",),
        ready=f"http://{address}/-/ready",
    )


def _jaeger(options: Options) -> Program:
    ports = (
        *("JAEGER_OTLP_GRPC_PORT", "JAEGER_OTLP_HTTP_PORT", "JAEGER_QUERY_PORT"),
        *("JAEGER_HEALTH_PORT", "JAEGER_METRICS_PORT"),
    )
    return Program(
        name="jaeger",
        stage=BACKENDS,
        command=(str(binary("jaeger")), f"--config={REPOSITORY}/stack/jaeger/config.yaml"),
        ports=ports,
        ready=f"http://{options.address('JAEGER_HEALTH_PORT')}/status",
        environment={
            **{port: options.ports[port] for port in ports},
            "JAEGER_DATA": str(options.data / "jaeger"),
            # Jaeger would send traces of itself to port 4317, which is the collector's.
            "OTEL_TRACES_SAMPLER": "always_off",
        },
    )


def _redis(options: Options) -> Program:
    port = options.ports["REDIS_PORT"]
    return Program(
        name="redis",
        stage=BACKENDS,
        command=(
            str(redis_server()),
            *("--bind", "127.0.0.1"),
            *("--port", port),
            *("--dir", str(options.data / "redis")),
            # A job that was taken is on disk within a second.
            *("--appendonly", "yes"),
            *("--maxmemory", "64mb"),
            # Jobs are no cache: a queue that is full refuses them.
            *("--maxmemory-policy", "noeviction"),
        ),
        ports=("REDIS_PORT",),
        ready=f"redis://127.0.0.1:{port}",
    )


def _collector(options: Options) -> Program:
    ports = (
        *("OTLP_GRPC_PORT", "OTLP_HTTP_PORT"),
        *("COLLECTOR_HEALTH_PORT", "COLLECTOR_METRICS_PORT"),
    )
    return Program(
        name="collector",
        stage=COLLECTOR,
        command=(
            str(binary("otelcol")),
            f"--config={REPOSITORY}/otel-collector/config.yaml",
        ),
        ports=ports,
        ready=f"http://{options.address('COLLECTOR_HEALTH_PORT')}/",
        environment={
            **{port: options.ports[port] for port in ports},
            "COLLECTOR_DATA": str(options.data / "collector"),
            "JAEGER_OTLP_ENDPOINT": options.address("JAEGER_OTLP_GRPC_PORT"),
            "PROMETHEUS_URL": f"http://{options.address('PROMETHEUS_PORT')}",
            "SCRAPE_INTERVAL": f"{15000 / options.scale:.0f}ms",
            "TARGETS_DIR": str(options.config / "targets"),
        },
    )


def _payments(options: Options) -> Program:
    return _service(options, "payments", PROVIDER, "demo_service.payments", "PAYMENTS_PORT")


def _orders(options: Options) -> Program:
    return _service(options, "orders", SERVICE, "demo_service", "DEMO_PORT")


def _receipts(options: Options) -> Program:
    return _service(options, "receipts", WORKER, "demo_service.receipts", "RECEIPTS_PORT")


def _load(options: Options) -> Program:
    return _service(options, "load", LOAD, "demo_service.load", "LOAD_PORT")


def _service(options: Options, name: str, stage: int, module: str, port: str) -> Program:
    path = {"load": "/factor", "receipts": "/metrics"}.get(name, "/readyz")
    return Program(
        name=name,
        stage=stage,
        command=(sys.executable, "-m", module),
        ports=(port,),
        ready=f"http://{options.address(port)}{path}",
        environment={
            **{each: options.ports[each] for each in _SERVICE_PORTS},
            "DEMO_STATE_DIR": str(options.data / "demo"),
            **_queue(options),
            **_telemetry(options, name),
        },
    )


def _queue(options: Options) -> dict[str, str]:
    if options.only and "redis" not in options.only:
        return {}
    return {"DEMO_REDIS_URL": f"redis://127.0.0.1:{options.ports['REDIS_PORT']}/0"}


def _telemetry(options: Options, name: str) -> dict[str, str]:
    defaults = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{options.address('OTLP_HTTP_PORT')}",
        "OTEL_RESOURCE_ATTRIBUTES": resource_attributes(),
    }
    chosen = {key: value for key, value in defaults.items() if not os.environ.get(key)}
    # The scrape's job must equal it, so it is not the user's to change.
    return {**chosen, "OTEL_SERVICE_NAME": name}


def resource_attributes() -> str:
    """Return what the services say of themselves, in the form of OTEL_RESOURCE_ATTRIBUTES."""
    return os.environ.get("OTEL_RESOURCE_ATTRIBUTES") or "deployment.environment.name=demo"


def log_file(options: Options, program: Program) -> Path:
    """Return where a program's output goes."""
    return options.logs / f"{program.name}.log"
