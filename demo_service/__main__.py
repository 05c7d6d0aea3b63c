"""Runs the orders service: `python -m demo_service`."""

from fastapi import FastAPI
from pydantic import SecretStr

from demo_service import database
from demo_service.app import create_app
from demo_service.command import refuse_arguments
from demo_service.server import serve
from demo_service.settings import Settings


def _create(settings: Settings) -> FastAPI:
    """Make the folder and the key first: while it serves, a refused one would be a traceback."""
    database.make_folder(settings)
    key = SecretStr(settings.webhook_key.decode())
    return create_app(settings.model_copy(update={"webhook_secret": key}))


if __name__ == "__main__":
    refuse_arguments("demo_service", __doc__)
    serve("orders", _create, port="port")
