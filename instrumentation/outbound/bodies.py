"""The body of a response, watched for its end: a call is over when nothing more can fail."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from functools import partial
from typing import Any, Protocol

from instrumentation.afterwards import later


class Ending(Protocol):
    """Whoever wants to know what became of the body.

    Attributes:
        over: it knows.
    """

    over: bool

    def end(self, error: BaseException | None) -> None:
        """It was read to its end or given up, or reading it failed with `error`."""


class _Watched:
    """Passes everything on to the library's own stream.

    A response that nobody closes ends its call soon after it was collected.
    """

    def __init__(self, stream: Any, call: Ending) -> None:
        self._stream = stream
        self._call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __del__(self) -> None:
        call = self.__dict__.get("_call")
        if call is not None and not call.over:
            later(partial(call.end, None))


class Body(_Watched):
    """A synchronous response's body."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except GeneratorExit:  # whoever reads has had enough, and closes
            raise
        except BaseException as error:
            self._call.end(error)
            raise
        self._call.end(None)

    def close(self) -> None:
        """Close the library's stream; what was left unread is given up."""
        try:
            self._stream.close()
        finally:
            self._call.end(None)


class AsyncBody(_Watched):
    """An asynchronous response's body."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = self._stream.__aiter__()
        try:
            async for part in parts:
                yield part
        except GeneratorExit:
            raise
        except BaseException as error:
            self._call.end(error)
            raise
        finally:
            if isinstance(parts, AsyncGenerator):  # left to the collector, it may lose its loop
                await parts.aclose()
        self._call.end(None)

    async def aclose(self) -> None:
        """Close the library's stream; what was left unread is given up."""
        try:
            await self._stream.aclose()
        finally:
            self._call.end(None)
