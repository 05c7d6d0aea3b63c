"""Faults that can be switched on while the services run: one module each, one switch for all.

They exist to be found by the alerts and dashboards. Without `DEMO_ADMIN=1` none of them is
part of an application.
"""
