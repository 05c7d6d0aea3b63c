"""Measures what the rules cost in a Prometheus of their own, over synthetic request histograms.

`past` gives it what long windows read, `fleet` feeds it as a fleet of services would, `server` runs
it, `evaluations` notes how long each group of rules takes, and `processors` who had the machine
meanwhile.
"""
