"""The table."""

from drill.table import Row, table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    whole = Row("errors", "some requests raise", 24.4, "trace 0af7", 30.6)
    head, rule, line, _ = table([whole, Row("traffic", "fewer requests")]).splitlines()
    assert line == "errors   some requests raise  24 s        trace 0af7  31 s"
    assert head.index("resolved after") == line.index("31 s")
    assert set(rule) == {"-", " "}


def test_what_did_not_come_is_called_missing() -> None:
    (*_, line) = table([Row("traffic", "fewer requests")]).splitlines()
    assert line.split()[-3:] == ["missing", "missing", "missing"]
