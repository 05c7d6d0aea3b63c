"""Turns samples into the blocks that Prometheus keeps its data in, by way of promtool."""

import os
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from stack.binaries import binary
from stack.commands import output
from stack.errors import StackError

BLOCK_HOURS = 54
"""Prometheus merges the two-hour blocks of its own by threes, so this is a length it knows; it
merges up to a tenth of the retention, which is more."""

_BLOCK_SECONDS = BLOCK_HOURS * 3600
_PATIENCE_SECONDS = 300


class Blocks:
    """Samples on their way into blocks; a context manager that ends with all of them written.

    promtool reads a file once for each block in it, so each block gets a file of its own, which
    also goes as soon as it is read.

    Args:
        folder: where the blocks and, until then, the text go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._promtool = binary("promtool")
        self._worker = ThreadPoolExecutor(1)
        self._running: Future[None] | None = None
        self._block: int | None = None
        self._text: TextIO | None = None
        self.samples = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._hand_over()
                self._wait()
        finally:
            if self._text is not None:
                self._text.close()
            self._worker.shutdown()

    def write(self, at: int, lines: Iterable[str]) -> None:
        """Add the samples of one moment, which must not be earlier than those before.

        Raises:
            StackError: promtool refused earlier samples.
        """
        block = at // _BLOCK_SECONDS
        if self._text is None or block != self._block:
            self._hand_over()
            self._block = block
            self._text = (self._folder / f"{block}.txt").open("w")
        chosen = list(lines)
        self.samples += len(chosen)
        self._text.writelines(chosen)

    def _hand_over(self) -> None:
        if self._text is None:
            return
        self._text.write("# EOF\n")
        self._text.close()
        path = Path(self._text.name)
        self._text = None
        # One at a time: this bounds the text on disk.
        self._wait()
        self._running = self._worker.submit(self._read, path)

    def _wait(self) -> None:
        if self._running is not None:
            self._running.result()

    def _read(self, path: Path) -> None:
        status, text = output(
            [
                *(str(self._promtool), "tsdb", "create-blocks-from", "openmetrics", "--quiet"),
                *(f"--max-block-duration={BLOCK_HOURS}h", str(path), str(self._folder)),
            ],
            # It keeps a block's head there while it works.
            env={**os.environ, "TMPDIR": str(self._folder)},
            timeout=_PATIENCE_SECONDS,
        )
        if status != 0:
            last = text.strip().rpartition("\n")[2]
            raise StackError(f"promtool could not read the history that was made: {last}")
        path.unlink()
