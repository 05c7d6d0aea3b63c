"""No literal of a statement leaves the process."""

from __future__ import annotations

import pytest

from instrumentation.database.sql import describe


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("SELECT 'a' FROM t WHERE x = 12", "SELECT ? FROM t WHERE x = ?"),
        ("SELECT 'it''s' || E'\\'x' FROM t", "SELECT ? || ? FROM t"),
        ("SELECT $$it's$$, $tag$ a $$ b $tag$", "SELECT ?, ?"),
        ("SELECT -1.5e-3, 0xFF, .5, 7", "SELECT ?, ?, ?, ?"),
        ('SELECT a1, t2.c3, "q\'4", `b5` FROM t6', 'SELECT a1, t2.c3, "q\'4", `b5` FROM t6'),
        (
            "SELECT * FROM t WHERE a = $1 AND b = %(b_1)s AND c = :c AND d = ?",
            "SELECT * FROM t WHERE a = $1 AND b = %(b_1)s AND c = :c AND d = ?",
        ),
        ("SELECT 1 -- password 'x'\nFROM t /* card 4111 */", "SELECT ?  \nFROM t"),
        ("SELECT 'never closed and secret", "SELECT ?"),
        ("SELECT N'x', X'AB', b'01'", "SELECT ?, ?, ?"),
        ("SELECT 1/* never closed 42", "SELECT ?"),
        ("SELECT x FROM t LIMIT 10 OFFSET 20", "SELECT x FROM t LIMIT ? OFFSET ?"),
        ("SELECT a-1, b+2", "SELECT a-?, b+?"),
        ("SELECT ARRAY[a, 'secret'], [my column]", "SELECT ARRAY[a, ?], [my column]"),
        ("SELECT 1_000, 0b11, 0o17", "SELECT ?, ?, ?"),
    ],
)
def test_literals_are_question_marks(statement: str, text: str) -> None:
    assert describe(statement).text == text


def test_double_quotes_are_strings_where_the_dialect_says_so() -> None:
    assert describe('SELECT "secret"', mysql=True).text == "SELECT ?"


@pytest.mark.parametrize(
    ("statement", "operation", "summary"),
    [
        ("select * from orders o join users u on true", "SELECT", "SELECT orders"),
        ("INSERT INTO orders (id) VALUES (1)", "INSERT", "INSERT orders"),
        ("UPDATE orders SET a = 1", "UPDATE", "UPDATE orders"),
        ("DELETE FROM shop.orders", "DELETE", "DELETE shop.orders"),
        ("CREATE TABLE IF NOT EXISTS x (id int)", "CREATE", "CREATE x"),
        ("/* hint */ SELECT 1", "SELECT", "SELECT"),
        ("PRAGMA journal_mode", "PRAGMA", "PRAGMA"),
        ("frobnicate 12", "OTHER", "OTHER"),
        ("", "OTHER", "OTHER"),
    ],
)
def test_operation_and_summary(statement: str, operation: str, summary: str) -> None:
    described = describe(statement)
    assert (described.operation, described.summary) == (operation, summary)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("SELECT 'it\\'s secret', 'a''b'", "SELECT ?, ?"),
        ('SELECT "it\\"s secret"', "SELECT ?"),
        ("SELECT 1 # secret\nFROM t", "SELECT ?  \nFROM t"),
        ("SELECT `a#b`, N'x' FROM t", "SELECT `a#b`, ? FROM t"),
    ],
)
def test_mysql_has_its_own_strings_and_comments(statement: str, text: str) -> None:
    assert describe(statement, mysql=True).text == text


def test_no_more_than_a_page_of_a_statement_is_kept() -> None:
    assert len(describe("SELECT " + "x, " * 100_000).text) <= 4096
