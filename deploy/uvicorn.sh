#!/bin/sh
# An instrumented service under uvicorn with several workers: uvicorn.sh app:app [arguments].
# The workers share their metrics through a directory that only this service uses.
set -eu
: "${PROMETHEUS_MULTIPROC_DIR:=$(mktemp -d)}"
export PROMETHEUS_MULTIPROC_DIR
mkdir -p "$PROMETHEUS_MULTIPROC_DIR"
# Bounded, and longer than INSTRUMENTATION_SHUTDOWN_SECONDS: the lifespan's end sends the last spans,
# after the last request. uvicorn must run it, so `--lifespan off` is no option.
exec uvicorn \
    --host 0.0.0.0 --port "${PORT:-8000}" --workers "${WEB_CONCURRENCY:-2}" \
    --timeout-graceful-shutdown 20 "$@"
