"""What a statement does to which tables, in a few words: the name of its span.

The form is that of the semantic conventions: operations and their targets, in the order of the
text (https://opentelemetry.io/docs/specs/semconv/db/database-spans/).
"""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 255
_DEEPEST: Final = 20

# `extract(year FROM ordered_at)` names no table: brackets that hold no query are emptied, the
# innermost first. Names in quotes are kept whole.
_BRACKETS: Final = re.compile(
    r"\((?!\s*(?:SELECT|WITH|VALUES|INSERT|UPDATE|DELETE)\b)[^()]*\)", re.IGNORECASE
)
_NAME: Final = r"""(?:[\w$]+|"[^"]*"|`[^`]*`|\[[^\]]*\])"""
_TARGET: Final = rf"{_NAME}(?:\.{_NAME})*"
_STEPS: Final = re.compile(
    rf"""
      # A lock (FOR UPDATE) and a rule (ON DELETE, DO UPDATE) are no operations.
      (?<!\bFOR\ )(?<!\bKEY\ )(?<!\bON\ )(?<!\bDO\ )
      \b(?P<operation>SELECT|INSERT|UPDATE|DELETE|MERGE)\b(?!\s*\()
    | \b(?:FROM|INTO|JOIN|TABLE)\s+(?:ONLY\s+|LATERAL\s+|IF\s+(?:NOT\s+)?EXISTS\s+)?
      (?P<targets>{_TARGET}(?:\s*,\s*{_TARGET})*)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UPDATED: Final = re.compile(rf"\s+(?:ONLY\s+)?({_TARGET})", re.IGNORECASE)
_KEYWORDS: Final = frozenset(("LATERAL", "ONLY", "SELECT", "SET", "UNNEST", "VALUES"))


def summary(text: str, operation: str) -> str:
    """Operations and targets of `text`, whose literals are masked; begins with `operation`."""
    emptied = _without_arguments(text)
    words: list[str] = []
    for step in _STEPS.finditer(emptied):
        found = step["operation"]
        if found is None:
            words += _names(step["targets"])
            continue
        words.append(found.upper())
        if words[-1] == "UPDATE":
            updated = _UPDATED.match(emptied, step.end())
            words += _names(updated[1]) if updated else []
    return _cut(words if words[:1] == [operation] else [operation, *words])


def _without_arguments(text: str) -> str:
    for _ in range(_DEEPEST):
        text, count = _BRACKETS.subn(" ", text)
        if not count:
            break
    return text


def _names(targets: str) -> list[str]:
    names = (name.strip() for name in targets.split(","))
    return [name for name in names if name.upper() not in _KEYWORDS]


def _cut(words: list[str]) -> str:
    """As many whole words as fit."""
    kept = words[0]
    for word in words[1:]:
        if len(kept) + 1 + len(word) > _LONGEST:
            break
        kept = f"{kept} {word}"
    return kept
