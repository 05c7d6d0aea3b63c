"""The payment provider that the orders service calls, a service of its own."""
