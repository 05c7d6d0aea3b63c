"""The payment provider: answers within a few milliseconds, or slowly when told to."""

import asyncio
import math
from typing import Annotated

from fastapi import Depends, FastAPI, Header

from demo_service import problems
from demo_service.faults.admin import admin_router
from demo_service.faults.fault import CHANCE
from demo_service.faults.slow_charges import SlowCharges
from demo_service.payments.ledger import Charge, KeyReusedError, Ledger, NewCharge
from demo_service.problems import Problem
from demo_service.settings import Settings
from instrumentation import instrument

LARGEST_CHARGE_CENTS = 1_000_000
"""What exceeds this is declined."""

_MEDIAN_SECONDS = 0.004
_SIGMA = 0.4

IdempotencyKey = Annotated[str, Header(min_length=1, max_length=255)]


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the payment provider; `settings` default to the environment's."""
    settings = settings or Settings()
    app = FastAPI(title="Payments", version="1.0.0")
    problems.install(app)
    ledger = Ledger()
    slow = SlowCharges()

    @app.get("/healthz", tags=["health"])
    @app.get("/readyz", tags=["health"])
    async def alive() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/charges", status_code=201, dependencies=[Depends(slow)])
    async def create_charge(new: NewCharge, idempotency_key: IdempotencyKey) -> Charge:
        await asyncio.sleep(CHANCE.lognormvariate(math.log(_MEDIAN_SECONDS), _SIGMA))
        if new.amount_cents > LARGEST_CHARGE_CENTS:
            raise Problem(402, "The card's limit is too low for this charge.")
        try:
            return ledger.charge(idempotency_key, new)
        except KeyReusedError:
            detail = "This idempotency key belongs to another charge."
            raise Problem(422, detail) from None

    if settings.admin:
        app.include_router(admin_router([slow]))
    instrument(app)
    return app
