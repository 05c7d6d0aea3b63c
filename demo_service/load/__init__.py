"""The load on the demo: Locust, following `demo_service.shape`.

Importing Locust makes gevent patch the whole process, so nothing outside this folder does.
"""

PERIOD_SECONDS = 5.0
"""Every user makes one request in this time, so one user more is 0.2 requests a second more."""
