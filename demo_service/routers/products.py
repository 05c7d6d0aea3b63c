"""What can be ordered."""

from fastapi import APIRouter

from demo_service.dependencies import After, Id, Limit, Session
from demo_service.models import Product
from demo_service.pagination import page
from demo_service.problems import Problem
from demo_service.schemas import Page, ProductView

router = APIRouter(prefix="/products", tags=["products"])


@router.get("")
async def list_products(session: Session, after: After = 0, limit: Limit = 20) -> Page[ProductView]:
    """List products, oldest first."""
    return await page(session, Product, ProductView, after=after, limit=limit)


@router.get("/{product_id}")
async def get_product(product_id: Id, session: Session) -> ProductView:
    """Return one product."""
    product = await session.get(Product, product_id)
    if product is None:
        raise Problem(404, f"There is no product {product_id}.")
    return ProductView.model_validate(product)
