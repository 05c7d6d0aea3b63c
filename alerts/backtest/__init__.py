"""Replays labelled incidents and harmless days through the real rules, in simulated time.

`incidents`, `missing`, `harmless` and `changes` hold the scenarios, each a function that draws its
parameters by seed and describes a service (`world`). What the service would have exported
(`counters`) and what was recorded of its past (`past`) is given to promtool (`replay`), and
`verdict` compares what paged with what should have. `python -m alerts.backtest` runs all.
"""
