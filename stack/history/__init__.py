"""Gives a new Prometheus a past: weeks of the demo's traffic, as if it had run all along.

`traffic` simulates it minute by minute, `recordings` computes what the rules would have recorded,
`raw` writes the counters as a scrape would have seen them, and `blocks` has promtool turn all of
it into Prometheus's own files.
"""
