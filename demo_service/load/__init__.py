"""The load on the demo: Locust, following `demo_service.shape`."""
