"""Builds and runs the backends and the demo as native processes.

The configuration files are the ones that `docker-compose.yml` mounts.
"""
