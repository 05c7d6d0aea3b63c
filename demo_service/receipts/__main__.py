"""Runs the worker: `python -m demo_service.receipts`."""

import os

from demo_service.command import refusals, refuse_arguments
from demo_service.receipts.worker import serve
from demo_service.settings import Settings

if __name__ == "__main__":
    refuse_arguments("demo_service.receipts", __doc__)
    os.environ.setdefault("OTEL_SERVICE_NAME", "receipts")
    with refusals("receipts"):
        serve(Settings())
