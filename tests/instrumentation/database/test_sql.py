"""No literal of a statement leaves the process."""

from __future__ import annotations

import pytest

from instrumentation.database.sql import describe


@pytest.mark.proves("Requests: redaction", "SQL text has neither parameter values nor literals")
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
        ("select * from orders o join users u on true", "SELECT", "SELECT orders users"),
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


@pytest.mark.parametrize(
    ("statement", "summary"),
    [
        ("SELECT extract(year FROM ordered_at) FROM orders", "SELECT orders"),
        ("SELECT substring(a FROM 1 FOR (2 + 3)) FROM t WHERE (x IN (1))", "SELECT t"),
        ("SELECT * FROM orders JOIN users ON (a = b)", "SELECT orders users"),
        ("SELECT * FROM orders, users WHERE x = 1", "SELECT orders users"),
        ("SELECT * FROM orders AS o FOR UPDATE", "SELECT orders"),
        ("SELECT * FROM orders FOR NO KEY UPDATE OF orders", "SELECT orders"),
        ("SELECT a FROM (SELECT b FROM inner_one) AS x", "SELECT SELECT inner_one"),
        ("INSERT INTO archive SELECT * FROM orders", "INSERT archive SELECT orders"),
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2", "INSERT t"),
        ("WITH r AS (SELECT * FROM orders) SELECT * FROM r", "WITH SELECT orders SELECT r"),
        ("UPDATE only_one SET a = (SELECT b FROM two)", "UPDATE only_one SELECT two"),
        ('UPDATE "my orders" SET a = 1', 'UPDATE "my orders"'),
        ("DELETE FROM public.orders WHERE EXISTS (SELECT 1)", "DELETE public.orders SELECT"),
        ("CREATE TABLE IF NOT EXISTS t (a INT REFERENCES u ON DELETE CASCADE)", "CREATE t"),
        ("SELECT ((((((((((", "SELECT"),
        ("(SELECT 1) UNION (SELECT a FROM t)", "SELECT SELECT t"),
        ("", "OTHER"),
    ],
)
def test_a_summary_names_operations_and_tables_in_order(statement: str, summary: str) -> None:
    assert describe(statement).summary == summary


def test_a_summary_ends_with_a_whole_word() -> None:
    tables = " JOIN ".join(f"a_rather_long_name_{number}" for number in range(100))
    found = describe(f"TRUNCATE TABLE a JOIN {tables}").summary
    assert 230 < len(found) <= 255
    assert set(found.split()) <= {"TRUNCATE", "a", *tables.split(" JOIN ")}
