"""Prometheus rules and Alertmanager's configuration, generated from the contract.

`python -m alerts` writes `generated/`; the modules `tail`, `errors`, `traffic`, `targets` and
`naive` hold one symptom each.
"""
