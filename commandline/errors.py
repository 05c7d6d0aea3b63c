"""How an error is told to whoever typed a command."""

from __future__ import annotations


def sentence(error: BaseException) -> str:
    """Return an error's text in one line; what the system refused is told by its path first."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
