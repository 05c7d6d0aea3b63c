"""Receipts for paid orders: asked for through a queue on Redis, issued by a worker."""
