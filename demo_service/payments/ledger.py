"""The charges made, each exactly once however often it is asked for."""

from collections import OrderedDict
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

_KEPT = 10_000


class NewCharge(BaseModel):
    """What is to be charged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amount_cents: int = Field(gt=0)
    currency: Literal["EUR"]


class Charge(NewCharge):
    """What was charged."""

    id: str


class KeyReusedError(Exception):
    """The same idempotency key came with another charge."""


class Ledger:
    """Remembers the newest charges by idempotency key, as long as a client may repeat itself."""

    def __init__(self) -> None:
        self._charges: OrderedDict[str, Charge] = OrderedDict()

    def charge(self, key: str, new: NewCharge) -> Charge:
        """Return the charge for `key`, made now or when the key first came.

        Raises:
            KeyReusedError: The key belongs to a charge of another amount.
        """
        charge = self._charges.get(key)
        if charge is None:
            charge = Charge(id=f"ch_{uuid4().hex}", **new.model_dump())
            self._charges[key] = charge
            if len(self._charges) > _KEPT:
                self._charges.popitem(last=False)
        if NewCharge(**charge.model_dump(exclude={"id"})) != new:
            raise KeyReusedError(key)
        return charge
