"""A value that can't be meant is refused, and what can be is read."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

import pytest

from commandline import arguments


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("https://grafana.example.org/team/", "https://grafana.example.org/team"),
        ("http://[::1]:9090", "http://[::1]:9090"),
        ("https://user:secret@example.org", "https://user:secret@example.org"),
    ],
)
def test_an_address_is_absolute_and_without_a_slash_at_its_end(text: str, read: str) -> None:
    assert arguments.address(text) == read


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            arguments.address,
            [
                *("", "foo", "bar baz", "//host", "/path", "ftp://host", "http://", "http:///path"),
                *(
                    "http://a b",
                    "http://a:x",
                    "http://a:99999",
                    "http://[::1",
                    "http://a/?b",
                    "http://a#b",
                ),
                *("http://a/{{ x }}", "http://a\n"),
            ],
        ),
        (arguments.whole(), ["", "0", "-1", "1.5", "many", "1e3", "²", "9" * 13]),
        (arguments.whole(0), ["-1", "x"]),
        (arguments.seconds, ["", "0", "-1", "nan", "inf", "soon"]),
        (arguments.namespace, ["", "A B", "Shop", "-a", "a-", "a.b", "a" * 64]),
        (arguments.label, ["", "a", "=b", "a=", "a b=c", "a=b c", "/a=b"]),
    ],
    ids=["address", "whole", "whole or none", "seconds", "namespace", "label"],
)
def test_the_rule_and_the_value_are_told(kind: Callable[[str], object], texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ArgumentTypeError) as refused:
            kind(text)
        assert str(refused.value).startswith("must be ")
        assert str(refused.value).endswith(f", not {text!r}")


def test_what_is_meant_is_read() -> None:
    assert arguments.whole()("12") == 12
    assert arguments.whole(0)("0") == 0
    assert arguments.seconds("1.5") == 1.5
    assert arguments.namespace("team-1") == "team-1"
    assert arguments.label("app.kubernetes.io/name=x_1") == ("app.kubernetes.io/name", "x_1")


def test_a_folder_may_be_missing_and_a_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert arguments.folder(str(tmp_path)) == tmp_path
    assert arguments.folder(str(tmp_path / "a" / "b")) == tmp_path / "a" / "b"
    assert not (tmp_path / "a").exists()
    for path in (tmp_path / "file", tmp_path / "file" / "sub"):
        with pytest.raises(ArgumentTypeError, match=f"^{tmp_path}/file is no folder$"):
            arguments.folder(str(path))


def test_a_file_is_looked_at_and_not_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "other", tmp_path / "a" / "b"):
        assert arguments.file_to_write(str(path)) == path
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(ArgumentTypeError, match=f"^{tmp_path}: Is a directory$"):
        arguments.file_to_write(str(tmp_path))
    with pytest.raises(ArgumentTypeError, match=f"^{tmp_path}/file: Not a directory$"):
        arguments.file_to_write(str(tmp_path / "file" / "sub"))
