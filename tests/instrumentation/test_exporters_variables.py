"""What an exporter reads of the environment is checked before it is made."""

from __future__ import annotations

import pytest

from instrumentation import Settings
from instrumentation.export import push, spans, timeout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "abc"),
        ("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
        ("OTEL_EXPORTER_OTLP_{signal}_HEADERS", "a=b%0Ac"),
    ],
)
@pytest.mark.parametrize("signal", ["TRACES", "METRICS"])
def test_what_the_exporter_reads_is_checked_whoever_made_the_settings(
    signal: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = name.format(signal=signal)
    monkeypatch.setenv(name, value)
    make = spans.exporter if signal == "TRACES" else push.exporter
    with pytest.raises(ValueError, match=f"^{name} must be "):
        make(Settings())


def test_metrics_are_sent_cumulatively_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
    spans.exporter(Settings())
    with pytest.raises(ValueError, match="TEMPORALITY_PREFERENCE must be one of cumulative"):
        push.exporter(Settings())


def test_an_address_that_is_given_stands_in_for_the_environments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")
    push.exporter(Settings(otlp_endpoint="http://collector:4318"))


def test_a_blank_timeout_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", " ")
    assert timeout.seconds("TRACES", 30.0) == 10
