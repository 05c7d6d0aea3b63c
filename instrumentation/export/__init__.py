"""The ways out: spans over OTLP, metrics at `/metrics`."""
