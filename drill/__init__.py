"""Breaks the running demo on purpose and proves that the right page and the culprit come out.

`python -m drill` starts a native stack of its own, checks that a healthy demo is silent, and
then performs one scenario after another: fault, page, evidence, resolved.
"""
