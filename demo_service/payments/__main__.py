"""Runs the payment provider: `python -m demo_service.payments`."""

from demo_service.command import refuse_arguments
from demo_service.payments.app import create_app
from demo_service.server import serve

if __name__ == "__main__":
    refuse_arguments("demo_service.payments", __doc__)
    serve("payments", create_app, port="payments_port")
