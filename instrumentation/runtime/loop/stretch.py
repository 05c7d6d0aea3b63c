"""One stretch in which an event loop did not turn, cut into what held it.

Only arithmetic on what was seen: no thread, no clock, no frame is touched here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from instrumentation.runtime.loop.stack import Spot
from instrumentation.runtime.loop.usage import Usage

if TYPE_CHECKING:
    from instrumentation.context import Request

_MOST_SEGMENTS: Final = 1000
_MOST_LINES: Final = 50
_ALL: Final = float("inf")


@dataclass(slots=True)
class Sample:
    """What the loop was doing at one moment.

    Attributes:
        usage: of the loop's thread, at that moment; its `starved` was read at `read`.
        since: from when on it is known to have done that; earlier than the moment where it kept
            the interpreter's lock, so that nobody could look.
        owner: the identity of the running task or callback; None if the loop was idle, or did
            work of ours.
        request: whose it is.
        culprit: the line to name.
        stack: innermost level first.
        slept: the loop's thread waited for something in the kernel, other than a lock.
    """

    usage: Usage
    since: float | None = None
    owner: object | None = None
    request: Request | None = None
    culprit: Spot | None = None
    stack: tuple[Spot, ...] = ()
    slept: bool = False
    read: float = 0.0


@dataclass(slots=True)
class Block:
    """Code that held an event loop for longer than the threshold.

    Attributes:
        start, end: as `time.perf_counter` says.
        seconds: how long the loop was held, without the time in which the process was stopped.
        cpu: seconds of CPU that the loop's thread burnt meanwhile.
        starved: seconds in which it could have run and got no CPU.
        request: whose code it was; None outside of any request.
        culprit: the line to name; None where nobody could look.
        stack: innermost level first.
        collecting: it was the garbage collector.
        thread: the one that runs the loop.
        slept: somebody saw it wait for something in the kernel, other than a lock.
    """

    start: float
    end: float
    seconds: float
    cpu: float
    starved: float
    request: Request | None
    culprit: Spot | None
    stack: tuple[Spot, ...] = ()
    collecting: bool = False
    thread: int = 0
    slept: bool = True

    def label(self) -> str:
        """The culprit as a label: `file.py:line function`."""
        if self.collecting:
            return "gc"
        return self.culprit.label() if self.culprit else "unknown"

    def held(self) -> float:
        """The seconds that count against it: time without CPU is nobody's fault."""
        return max(self.seconds - self.starved, min(self.cpu, self.seconds))

    def burnt(self) -> bool:
        """Whether it burnt CPU; else it waited for something."""
        return self.cpu >= (self.seconds - self.starved) / 2


@dataclass(slots=True)
class Segment:
    """Consecutive samples of one task's or callback's single run.

    Attributes:
        slept, asleep: whether it was seen to sleep in the kernel, ever and when last seen.
        lines: how often each line was seen; often, for one behind which nobody could look.
    """

    first: Sample
    before: Usage
    last: Usage
    slept: bool = False
    asleep: bool = False
    lines: dict[Spot | None, float] = field(default_factory=dict)
    stacks: dict[Spot | None, tuple[Spot, ...]] = field(default_factory=dict)

    def see(self, sample: Sample) -> None:
        """It is still the same."""
        self.last = sample.usage
        if sample.culprit in self.lines or len(self.lines) < _MOST_LINES:
            self.lines[sample.culprit] = self.lines.get(sample.culprit, 0.0) + 1.0
            self.stacks.setdefault(sample.culprit, sample.stack)

    def know(self, sample: Sample, usage: Usage, missed: float) -> None:
        """Learn the rest about a sample just seen.

        Arguments:
            usage: the time that it was read at, which may be later than that of the sample.
            missed: how many looks it stands for, beside its own.
        """
        sample.read = usage.at
        self.last = sample.usage = sample.usage._replace(starved=usage.starved)
        self.asleep = sample.slept
        self.slept = self.slept or sample.slept
        if sample.culprit in self.lines:
            self.lines[sample.culprit] += missed


class Stretch:
    """From the last beat of a loop's heart to the next one, which came late.

    Arguments:
        last: the last beat.
        due: when the next one should have been; the loop was held from some moment between.
        before: usage of the loop's thread at or before the last beat.
    """

    def __init__(self, last: float, due: float, before: Usage) -> None:
        self.last = last
        self.due = due
        self.before = before
        self.end: Usage | None = None
        self.segments: list[Segment] = []

    def add(self, sample: Sample) -> Segment | None:
        """Take note of a sample; answers what it belongs to, or None where it comes too late."""
        if self.end is not None:
            return None
        last = self.segments[-1] if self.segments else None
        if last is not None and _is_one(last.first.owner, sample.owner):
            last.see(sample)
            return last
        if last is not None and len(self.segments) >= _MOST_SEGMENTS:
            return None
        segment = Segment(sample, last.last if last else self.before, sample.usage)
        segment.see(sample)
        self.segments.append(segment)
        return segment

    def finish(self, end: Usage) -> None:
        """The loop has turned."""
        self.end = end

    def seconds(self, until: float) -> float:
        """How long the loop was held, the start taken in the middle of where it can be."""
        return max(0.0, until - (self.last + self.due) / 2)

    def starved(self, until: Usage) -> float:
        """Seconds in which the loop's thread could have run and got no CPU."""
        return max(0.0, until.starved - self.before.starved)

    def blocks(self, threshold: float, until: Usage) -> list[Block]:
        """What held the loop for at least `threshold` seconds, up to `until`.

        One run of a task or callback does; or many of one request together. Many short ones of
        different requests are load, and nobody's fault. Time without CPU counts for nobody.
        """
        blocks = []
        short: dict[int, list[Block]] = {}
        for block in self._pieces(until):
            if block.held() >= threshold:
                blocks.append(block)
            elif block.request is not None:
                short.setdefault(id(block.request), []).append(block)
            elif block.culprit is not None and block.culprit.is_users():
                short.setdefault(id(block.culprit.code), []).append(block)
        for pieces in short.values():
            if sum(piece.held() for piece in pieces) >= threshold:
                blocks.append(_together(pieces))
        return sorted(blocks, key=lambda block: block.start)

    def _pieces(self, until: Usage) -> Iterator[Block]:
        """Each segment as a block, however short."""
        segments = tuple(self.segments)
        for index, segment in enumerate(segments):
            first = segment.first
            if first.owner is None:
                continue
            following = segments[index + 1] if index + 1 < len(segments) else None
            start = _border(segments[index - 1], segment) if index else self._start(first)
            end = _border(segment, following) if following else until.at
            told = following.first.usage if following else until
            early = max(first.read, first.usage.at) - (start if index else self.last)
            late = end - segment.last.at if segment.asleep else _ALL
            culprit = max(segment.lines, key=segment.lines.__getitem__)
            yield Block(
                start=start,
                end=max(start, end),
                seconds=max(0.0, end - start),
                cpu=max(0.0, (segment.last if following else until).cpu - segment.before.cpu),
                starved=_starved(segment, early, told, late),
                request=first.request,
                culprit=culprit,
                stack=segment.stacks[culprit],
                slept=segment.slept,
            )

    def _start(self, first: Sample) -> float:
        """The middle of where it can be; soon after its request began, if that was in between.

        A request seldom waits for anything before its code runs, but may have other work first.
        """
        began = first.request.began if first.request else self.last
        if began <= self.last:
            start = (self.last + self.due) / 2
        else:
            start = began + max(0.0, self.due - began) / 4
        if first.slept:
            # Who sleeps neither burns CPU nor waits for it: both came before, since the last beat.
            usage, before = first.usage, self.before
            spent = usage.cpu - before.cpu + usage.starved - before.starved
            start = max(start, self.last + spent)
        return min(start, first.usage.at)


def _is_one(one: Any, other: Any) -> bool:
    return one is other or (one is not None and one == other)


def _border(one: Segment, other: Segment) -> float:
    """When `other` took over."""
    if other.first.since is not None:
        return max(one.last.at, other.first.since)
    return (one.last.at + other.first.usage.at) / 2


def _starved(segment: Segment, early: float, told: Usage, late: float) -> float:
    """Seconds in which a segment got no CPU.

    The kernel counts a wait when it is over. So the first sample may tell of a wait that began
    in the segment before, and the wait in which this segment ends is told by the next one's.

    Arguments:
        early: the most that the waits can be of which the first sample tells.
        told: the usage that tells of the last wait.
        late: the most that this can be; a thread that slept when last seen did not wait yet.
    """
    first, last = segment.first.usage.starved, segment.last.starved
    before = min(max(0.0, first - segment.before.starved), early)
    after = min(max(0.0, told.starved - last), late)
    return before + max(0.0, last - first) + after


def _together(blocks: list[Block]) -> Block:
    """Many short runs as one block, named after the line seen longest."""
    seconds: dict[Spot | None, float] = {}
    for block in blocks:
        seconds[block.culprit] = seconds.get(block.culprit, 0.0) + block.seconds
    culprit = max(seconds, key=seconds.__getitem__)
    return Block(
        start=blocks[0].start,
        end=blocks[-1].end,
        seconds=sum(block.seconds for block in blocks),
        cpu=sum(block.cpu for block in blocks),
        starved=sum(block.starved for block in blocks),
        request=blocks[0].request,
        culprit=culprit,
        slept=any(block.slept for block in blocks),
        stack=next(block.stack for block in blocks if block.culprit == culprit),
    )
