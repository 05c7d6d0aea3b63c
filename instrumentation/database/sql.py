"""What may be told of a statement: its text without literals, its operation, its table."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from instrumentation.database.summary import summary

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
_PATTERN: Final = r"""
      (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<literal>
          [eE]'(?:[^'\\]|\\(?:.|\Z)|'')*(?:'|\Z)
        | (?:[nNbBxXuU]&?)?'(?:[^']|'')*(?:'|\Z)
        | \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)
        | (?<![\w.$:@"`\]])[-+]?(?:0[xXbBoO][0-9a-fA-F_]+
            | \d[\d_]*(?:\.[\d_]*)?(?:[eE][-+]?\d+)? | \.\d[\d_]*)(?![\w$])
      )
    | (?P<name> "(?:[^"]|"")*(?:"|\Z) | `[^`]*(?:`|\Z) | \[[A-Za-z_][\w ]*\] )
    | (?P<parameter> \$\d+ | %\(\w+\)s | [:@]\w+ )
    """
_TOKENS: Final = re.compile(_PATTERN, re.VERBOSE | re.DOTALL)
# MySQL's own: `#` begins a comment, a backslash escapes in every string, and "x" is a string.
_MYSQL_TOKENS: Final = re.compile(
    r"""
      (?P<hash> \#[^\n]* )
    | (?P<string>
          [nNbBxX]?'(?:[^'\\]|\\(?:.|\Z)|'')*(?:'|\Z) | "(?:[^"\\]|\\(?:.|\Z)|"")*(?:"|\Z)
      )
    | """
    + _PATTERN,
    re.VERBOSE | re.DOTALL,
)
_FIRST_WORD: Final = re.compile(r"[\s(]*([A-Za-z]+)")


class Described(NamedTuple):
    """What a span and a metric may say of a statement.

    Attributes:
        text: the statement without comments, each literal a `?`.
        operation: its first word, from a closed list; `OTHER` for any other.
        summary: operations and tables, of low cardinality: the span's name.
    """

    text: str
    operation: str
    summary: str


def describe(statement: str, mysql: bool = False) -> Described:
    """Describe `statement`, of which no more than the first 4,096 characters are read.

    Arguments:
        mysql: read it as MySQL and MariaDB do.
    """
    return _describe(statement[:_LONGEST], mysql)


@lru_cache(maxsize=1024)
def _describe(statement: str, mysql: bool) -> Described:
    """The texts that a service sends are few, so they are kept."""

    def replacement(match: re.Match[str]) -> str:
        if match.lastgroup in ("comment", "hash"):
            return " "
        return "?" if match.lastgroup in ("literal", "string") else match[0]

    text = (_MYSQL_TOKENS if mysql else _TOKENS).sub(replacement, statement).strip()
    first = _FIRST_WORD.match(text)
    word = first[1].upper() if first else _OTHER
    operation = word if word in _OPERATIONS else _OTHER
    return Described(text, operation, summary(text, operation))
