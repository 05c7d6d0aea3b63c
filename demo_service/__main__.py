"""Runs the orders service: `python -m demo_service`."""

from demo_service.app import create_app
from demo_service.server import serve

if __name__ == "__main__":
    serve("orders", create_app, port="port")
