"""What the commands print: whole lines, and a line of progress while something takes long."""

import sys
import time

HEARTBEAT_SECONDS = 15.0


def say(line: str) -> None:
    """Print one line at once, so that a pipe's reader sees it too."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Progress:
    """One long step. On a terminal its line counts the seconds; elsewhere it repeats now and then.

    Args:
        label: what is being done, such as `[1/4] otelcol 0.161.0`.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._started = time.monotonic()
        self._said = self._started
        self._on_terminal = sys.stdout.isatty()
        if not self._on_terminal:
            say(label)

    def beat(self, detail: str = "") -> None:
        """Show that the step is alive; `detail` says how far it is."""
        text = f"{self._label}: {self._elapsed():.0f} s{detail and ', '}{detail}"
        if self._on_terminal:
            sys.stdout.write(f"\r\x1b[K{text}")
            sys.stdout.flush()
        elif time.monotonic() - self._said >= HEARTBEAT_SECONDS:
            self._said = time.monotonic()
            say(text)

    def done(self, outcome: str) -> None:
        """End the step with how it went."""
        start_of_line = "\r\x1b[K" if self._on_terminal else ""
        say(f"{start_of_line}{self._label}: {outcome} after {self._elapsed():.0f} s")

    def _elapsed(self) -> float:
        return time.monotonic() - self._started
