"""What may be told of a statement: its text without literals, its operation, its table."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_OPERATIONS: Final = frozenset(
    ("ALTER", "ANALYZE", "BEGIN", "CALL", "COMMIT", "COPY", "CREATE", "DECLARE", "DELETE", "DROP",
     "EXECUTE", "EXPLAIN", "FETCH", "GRANT", "INSERT", "LOCK", "MERGE", "PRAGMA", "RELEASE",
     "REPLACE", "REVOKE", "ROLLBACK", "SAVEPOINT", "SELECT", "SET", "SHOW", "TRUNCATE", "UPDATE",
     "VACUUM", "VALUES", "WITH")
)  # fmt: skip
_OTHER: Final = "OTHER"
_LONGEST: Final = 4096

# In this order: what stands in quotes or comments hides everything inside it. A quote or comment
# that never ends reaches to the end of the text, so nothing leaks behind a broken statement.
_TOKENS: Final = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<literal>
          [eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)
        | (?:[nNbBxXuU]&?)?'(?:[^']|'')*(?:'|\Z)
        | \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)
        | (?<![\w.$:@"`\]])[-+]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)(?![\w$])
      )
    | (?P<name> "(?:[^"]|"")*(?:"|\Z) | `[^`]*(?:`|\Z) | \[[A-Za-z_][^\]]*\] )
    | (?P<parameter> \$\d+ | %\(\w+\)s | [:@]\w+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_FIRST_WORD: Final = re.compile(r"[\s(]*([A-Za-z]+)")
_TABLE: Final = re.compile(
    r"\b(?:FROM|INTO|UPDATE|TABLE|JOIN)\s+(?:ONLY\s+|IF\s+(?:NOT\s+)?EXISTS\s+)?([\w.\"`\[\]]+)",
    re.IGNORECASE,
)


class Described(NamedTuple):
    """What a span and a metric may say of a statement.

    Attributes:
        text: the statement without comments, each literal a `?`.
        operation: its first word, from a closed list; `OTHER` for any other.
        summary: operation and first table, of low cardinality: the span's name.
    """

    text: str
    operation: str
    summary: str


@lru_cache(maxsize=1024)
def describe(statement: str, quotes_are_literals: bool = False) -> Described:
    """Describe `statement`; the texts that a service sends are few, so they are kept.

    Arguments:
        quotes_are_literals: `"x"` is a string, as in MySQL, and not a name.
    """

    def replacement(match: re.Match[str]) -> str:
        if match["comment"] is not None:
            return " "
        quoted = quotes_are_literals and match[0].startswith('"')
        return "?" if match["literal"] is not None or quoted else match[0]

    text = _TOKENS.sub(replacement, statement).strip()[:_LONGEST]
    first = _FIRST_WORD.match(text)
    word = first[1].upper() if first else _OTHER
    operation = word if word in _OPERATIONS else _OTHER
    table = _TABLE.search(text)
    return Described(text, operation, f"{operation} {table[1]}" if table else operation)
