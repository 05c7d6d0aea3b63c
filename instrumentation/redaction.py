"""What is taken out of an exception's text before it leaves the process."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 4096

_URL: Final = re.compile(r"(?P<scheme>\b\w+://)(?:[^\s/@'\"?#]*@)?(?P<rest>[^\s'\"?#]*)[^\s'\"]*")
# SQLAlchemy's errors end in the statement and its parameters; others quote them.
_STATEMENT: Final = re.compile(r"\s*\[(?:SQL|parameters): .*", re.DOTALL)

_IDENTIFIED: Final = (
    "column|constraint|database|function|index|relation|role|schema|sequence|table|type|user|view"
)
# In this order: a name is kept by the word in front of it, everything else that is quoted goes.
# A quote that never ends reaches to the end, so nothing leaks behind a message that was cut.
_DRIVER: Final = re.compile(
    rf"""
      (?P<name> \b(?:{_IDENTIFIED})\ "[^"]*" )
    | '(?:[^'\\]|\\.)*(?:'|\Z)
    | "(?:[^"\\]|\\.)*(?:"|\Z)
    | (?P<before> \b(?:is|values?)\ |= )\(.*
    | (?<![\w$.])\d[\d.]*(?!\w)
    """,
    re.VERBOSE,
)


def message(error: BaseException) -> str:
    """The text of `error` without queries and user names of URLs, and without SQL."""
    text = _URL.sub(r"\g<scheme>\g<rest>", _STATEMENT.sub("", _text(error)))
    return _encodable(text)


def driver_message(error: BaseException) -> str:
    """The first line of a database driver's error, each value in it a `?`.

    A database answers with the values that it refuses (`Key (name)=(...)`, `Duplicate entry
    '...'`), so the text of its errors holds parameters. Names behind a word for what they name
    (`relation "users"`) are kept.
    """
    text = _text(error)
    code = error.args[0] if error.args else None
    if isinstance(code, int) and len(error.args) > 1:  # MySQL's drivers
        text = str(error.args[1])
    else:
        code = None
    line = _DRIVER.sub(_masked, text.partition("\n")[0])
    return _encodable(line if code is None else f"{code}: {line}")


def _masked(match: re.Match[str]) -> str:
    return match["name"] or (match["before"] or "") + "?"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:
        return f"<str() of it raised {type(failure).__name__}>"


def _encodable(text: str) -> str:
    """Not too long, and UTF-8: OTLP can't carry the lone surrogates that JSON can."""
    return text[:_LONGEST].encode("utf-8", "replace").decode()
