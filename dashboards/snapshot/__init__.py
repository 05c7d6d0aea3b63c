"""Draws a dashboard with live data into one HTML file that needs neither Grafana nor a network."""
