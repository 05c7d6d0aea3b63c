"""What a new database starts with, as plain data: the load generator reads it too."""

from __future__ import annotations

from typing import NamedTuple


class SeedProduct(NamedTuple):
    """A product to be sold from the first day."""

    sku: str
    name: str
    price_cents: int


_MATERIALS = ("Oak", "Walnut", "Steel", "Linen", "Cork", "Copper")
_THINGS = ("Desk", "Lamp", "Shelf", "Chair", "Clock", "Tray", "Frame", "Stool")

PRODUCTS: tuple[SeedProduct, ...] = tuple(
    SeedProduct(
        sku=f"{material}-{thing}".upper(),
        name=f"{material} {thing}",
        price_cents=1_900 + 700 * number,
    )
    for number, (material, thing) in enumerate(
        (material, thing) for material in _MATERIALS for thing in _THINGS
    )
)

USERS: tuple[tuple[str, str], ...] = tuple(
    (f"Customer {number}", f"customer-{number}@shop.example") for number in range(1, 101)
)
