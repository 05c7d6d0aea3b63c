"""Incoming requests: the outermost ASGI layer, and how it learns the route."""
