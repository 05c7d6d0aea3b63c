"""What the SDK's samplers decide, without asking them."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.sdk.trace.sampling import Decision, ParentBased, StaticSampler, TraceIdRatioBased
from opentelemetry.trace import SpanContext

LIMIT: Final = TraceIdRatioBased.TRACE_ID_LIMIT
"""The bits of a trace's id that decide."""

_FIXED: Final[dict[Any, int]] = {Decision.DROP: 0, Decision.RECORD_AND_SAMPLE: LIMIT + 1}


class Bounds:
    """Below which number a trace is kept, by its id's bits in `LIMIT`.

    The SDK's samplers look at the caller and the trace's id alone. Asking them costs more than
    what they decide: each looks the caller up anew and wraps its answer.

    Attributes:
        root: the bound where there is no caller.
    """

    def __init__(self, root: int, remote: tuple[int, int], local: tuple[int, int]) -> None:
        """`remote` and `local`: for a caller that isn't sampled, and for one that is."""
        self.root = root
        self._remote = remote
        self._local = local

    @classmethod
    def of(cls, sampler: Any) -> Bounds | None:
        """None for a sampler that has to be asked."""
        if getattr(type(sampler), "should_sample", None) is not ParentBased.should_sample:
            bound = _bound(sampler)
            return None if bound is None else cls(bound, (bound, bound), (bound, bound))
        names = ("_root", "_remote_parent_not_sampled", "_remote_parent_sampled",
                 "_local_parent_not_sampled", "_local_parent_sampled")  # fmt: skip
        found = [_bound(getattr(sampler, name, None)) for name in names]
        bounds = [bound for bound in found if bound is not None]
        if len(bounds) < len(names):
            return None
        return cls(bounds[0], (bounds[1], bounds[2]), (bounds[3], bounds[4]))

    def below(self, caller: SpanContext) -> int:
        """The bound for what `caller` asked for."""
        return (self._remote if caller.is_remote else self._local)[caller.trace_flags & 1]


def _bound(sampler: Any) -> int | None:
    decide = getattr(type(sampler), "should_sample", None)
    if decide is StaticSampler.should_sample:
        return _FIXED.get(getattr(sampler, "_decision", None))
    if decide is TraceIdRatioBased.should_sample:
        bound: int = sampler.bound
        return bound
    return None
