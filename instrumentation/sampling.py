"""What the SDK's samplers decide, without asking them."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace.sampling import Decision, ParentBased, StaticSampler, TraceIdRatioBased
from opentelemetry.trace import SpanContext

_KEEP, _DROP = Decision.RECORD_AND_SAMPLE, Decision.DROP

Rule = Decision | int
"""A decision, or the bound below which a ratio sampler keeps a trace."""


class Rules:
    """What the SDK's samplers decide from the caller and the trace's id, which is all they look at.

    Asking them costs more than what they decide: each looks the caller up anew and wraps its
    answer.
    """

    def __init__(self, root: Rule, remote: tuple[Rule, Rule], local: tuple[Rule, Rule]) -> None:
        """`remote` and `local`: the rule for a caller that isn't sampled, and for one that is."""
        self._root = root
        self._remote = remote
        self._local = local

    @classmethod
    def of(cls, sampler: Any) -> Rules | None:
        """None for a sampler that has to be asked."""
        if getattr(type(sampler), "should_sample", None) is not ParentBased.should_sample:
            rule = _rule(sampler)
            return None if rule is None else cls(rule, (rule, rule), (rule, rule))
        names = ("_root", "_remote_parent_not_sampled", "_remote_parent_sampled",
                 "_local_parent_not_sampled", "_local_parent_sampled")  # fmt: skip
        found = [_rule(getattr(sampler, name, None)) for name in names]
        rules = [rule for rule in found if rule is not None]  # a bound of 0 is a rule, too
        if len(rules) < len(names):
            return None
        return cls(rules[0], (rules[1], rules[2]), (rules[3], rules[4]))

    def decide(self, caller: SpanContext | None, trace_id: int) -> Decision:
        """What becomes of a span of this trace."""
        if caller is None:
            rule = self._root
        else:
            rules = self._remote if caller.is_remote else self._local
            rule = rules[caller.trace_flags & 1]
        if isinstance(rule, Decision):
            return rule
        return _KEEP if trace_id & TraceIdRatioBased.TRACE_ID_LIMIT < rule else _DROP


def _rule(sampler: Any) -> Rule | None:
    decide = getattr(type(sampler), "should_sample", None)
    if decide is StaticSampler.should_sample:
        decision = getattr(sampler, "_decision", None)
        return decision if isinstance(decision, Decision) else None
    if decide is TraceIdRatioBased.should_sample:
        bound: int = sampler.bound
        return bound
    return None
