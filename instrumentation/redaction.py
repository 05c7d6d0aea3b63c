"""What is taken out of texts before they leave the process: of exceptions, queries, headers."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import unquote_plus

_LONGEST: Final = 4096
_MOST_READ: Final = 2 * _LONGEST
"""A text is cut before it is searched: a client may have sent all of it."""

_URL: Final = re.compile(r"(?P<scheme>\b\w+://)(?:[^\s/@'\"?#]*@)?(?P<rest>[^\s'\"?#]*)[^\s'\"]*")
# SQLAlchemy's errors end in the statement and its parameters; others quote them.
_STATEMENT: Final = re.compile(r"\[(?:SQL|parameters): ")
# Where a text was cut, a user name and password may have lost the @ that tells them.
_CUT_USER: Final = re.compile(r"(?<=://)[^\s/@'\"?#]*\Z")

_IDENTIFIED: Final = (
    "column|constraint|database|function|index|relation|role|schema|sequence|table|type|user|view"
)
# In this order: a name is kept by the word in front of it, everything else that is quoted goes.
# A quote that never ends reaches to the end, so nothing leaks behind a message that was cut.
_DRIVER: Final = re.compile(
    rf"""
      (?P<name> \b(?:{_IDENTIFIED})\ "[^"]*" )
    | '(?:[^'\\]|\\(?:.|\Z))*(?:'|\Z)
    | "(?:[^"\\]|\\(?:.|\Z))*(?:"|\Z)
    | (?P<before> \b(?:is|values?)\ |= )\(.*
    | (?<![\w$.])\d[\d.]*(?!\w)
    """,
    re.VERBOSE,
)


HIDDEN: Final = "REDACTED"
"""Stands for a value that isn't told; the word is that of the semantic conventions."""

_PARAMETER: Final = re.compile(r"([^&;=]*)(=[^&;]*)?")
_USER: Final = re.compile(r"(?<=://)[^\s/@'\"?#]*@")
_BEHIND_THE_PATH: Final = re.compile(r"\?(?P<query>[^\s'\"<>#]*)|#[^\s'\"<>]*")
_PLAIN_NAME: Final = re.compile(r"[\w.\[\]-]{1,64}")


def query(text: str, allowed: Collection[str]) -> str:
    """A query string with the values of its parameters hidden, but for the `allowed` ones.

    What has no `=`, or no name that a form could have, is hidden whole: it may be a value itself.
    """

    def shown(match: re.Match[str]) -> str:
        if not match[0] or unquote_plus(match[1]) in allowed:
            return match[0]
        name = unquote_plus(match[1])
        return f"{name}={HIDDEN}" if match[2] and _PLAIN_NAME.fullmatch(name) else HIDDEN

    return _PARAMETER.sub(shown, text[:_MOST_READ])[:_LONGEST]


def header(value: str, allowed: Collection[str] | None) -> str:
    """A header's value without what a URL in it may give away: user name, fragment and query.

    Arguments:
        allowed: the parameters whose values stay, see `query`; None leaves queries out.
    """
    if "/" not in value:
        return value[:_LONGEST]

    def shown(match: re.Match[str]) -> str:
        asked = match["query"]
        return "" if asked is None or allowed is None else f"?{query(asked, allowed)}"

    return _BEHIND_THE_PATH.sub(shown, _USER.sub("", _cut(value)))[:_LONGEST]


def message(error: BaseException) -> str:
    """The text of `error` without queries and user names of URLs, and without SQL."""
    text = _cut(_text(error))
    if statement := _STATEMENT.search(text):
        text = text[: statement.start()].rstrip()
    return _encodable(_URL.sub(r"\g<scheme>\g<rest>", text))


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
    line = _DRIVER.sub(_masked, _cut(text.partition("\n")[0]))
    return _encodable(line if code is None else f"{code}: {line}")


def _masked(match: re.Match[str]) -> str:
    return match["name"] or (match["before"] or "") + "?"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:
        return f"<str() of it raised {type(failure).__name__}>"


def _cut(text: str) -> str:
    """As much of `text` as is searched, without the user of a URL that was cut in half."""
    return text if len(text) <= _MOST_READ else _CUT_USER.sub("", text[:_MOST_READ])


def _encodable(text: str) -> str:
    """Not too long, and UTF-8: OTLP can't carry the lone surrogates that JSON can."""
    return text[:_LONGEST].encode("utf-8", "replace").decode()
