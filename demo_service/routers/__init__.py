"""The API by domain; `ROUTERS` is all of it, in the order of the documentation."""

from demo_service.routers import orders, products, users, webhooks

ROUTERS = (users.router, products.router, orders.router, webhooks.router)
