"""Some requests fail in a way that nobody foresaw."""

from __future__ import annotations

from demo_service.faults.fault import RequestFault


class StockLedgerError(RuntimeError):
    """Stands for a defect: no handler knows it, so the request ends as a 500."""


class Errors(RequestFault):
    """Raises where the stock of a product would be looked up."""

    name = "errors"
    summary = "Some requests for products and orders raise an exception."
    probability = 0.08

    async def strike(self) -> None:
        """Fail."""
        raise StockLedgerError("the stock ledger has no page for this product")
