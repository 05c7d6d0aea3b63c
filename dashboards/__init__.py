"""Dashboards of the contract's queries: for Grafana by way of grafanalib, or drawn into a page.

One module a dashboard; `boards` lists them, `python -m dashboards` writes `generated/`.
"""
