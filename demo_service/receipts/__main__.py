"""Runs the worker: `python -m demo_service.receipts`."""

import os

from pydantic import ValidationError

from demo_service.receipts.worker import serve
from demo_service.settings import Settings, sentence

if __name__ == "__main__":
    os.environ.setdefault("OTEL_SERVICE_NAME", "receipts")
    try:
        serve(Settings())
    except ValidationError as error:
        raise SystemExit(f"receipts: {sentence(error)}") from None
    except (OSError, ValueError) as error:
        raise SystemExit(f"receipts: {error}") from None
