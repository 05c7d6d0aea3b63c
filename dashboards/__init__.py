"""Grafana dashboards, generated with grafanalib from the contract's queries.

`python -m dashboards` writes `generated/`; `service` is the first of them.
"""
