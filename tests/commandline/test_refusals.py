"""What the system refuses is one line that names the path, whichever command was typed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import alerts.__main__
import alerts.generate
import dashboards.__main__
import dashboards.generate
import stack.__main__
import stack.history.__main__
import stack.rule_cost.__main__
from commandline.errors import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

NOWHERE = "/observability"
"""A folder that root alone could make."""
NOBODY = 65534


@pytest.fixture
def nobody() -> Iterator[None]:
    """The test as a user who may write nothing."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    yield
    if before == 0:
        os.seteuid(before)


def told(
    main: Callable[[list[str]], int], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """The exit status, and all that standard error got."""
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ("main", "arguments", "status", "head"),
    [
        (alerts.__main__.main, ["--out", NOWHERE], 2, "python -m alerts: error"),
        (dashboards.__main__.main, ["configmaps", "--out", NOWHERE], 1, "error"),
        (stack.__main__.main, ["up", "--data", NOWHERE], 1, "error"),
        (stack.history.__main__.main, ["--data", NOWHERE], 1, "error"),
    ],
    ids=["alerts", "configmaps", "stack up", "stack.history"],
)
@pytest.mark.usefixtures("nobody")
def test_a_folder_that_may_not_be_made_is_named(
    main: Callable[[list[str]], int],
    arguments: list[str],
    status: int,
    head: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told(main, arguments, capsys) == (status, f"{head}: {NOWHERE}: Permission denied\n")


@pytest.mark.parametrize(
    ("main", "generate"),
    [
        (alerts.__main__.main, alerts.generate),
        (dashboards.__main__.main, dashboards.generate),
    ],
    ids=["alerts", "dashboards"],
)
def test_a_checkout_that_can_not_be_written_is_named(
    main: Callable[[list[str]], int],
    generate: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    generated = tmp_path / "file" / "generated"
    monkeypatch.setattr(generate, "GENERATED", generated)
    status, said = told(main, [], capsys)
    assert status
    assert said.endswith(f"error: {generated}: Not a directory\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("main", "arguments"),
    [
        (alerts.__main__.main, ["--out"]),
        (dashboards.__main__.main, ["configmaps", "--out"]),
        (stack.__main__.main, ["up", "--data"]),
        (stack.__main__.main, ["up", "--rules"]),
        (stack.history.__main__.main, ["--data"]),
        (stack.rule_cost.__main__.main, ["--rules"]),
    ],
    ids=["alerts", "configmaps", "stack up", "rules", "stack.history", "stack.rule_cost"],
)
@pytest.mark.parametrize("below", ["", "sub"])
def test_a_file_in_a_folders_place_is_named(
    main: Callable[[list[str]], int],
    arguments: list[str],
    below: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    status, said = told(main, [*arguments, str(tmp_path / "file" / below)], capsys)
    assert status == 2
    assert said.endswith(f"error: argument {arguments[-1]}: {tmp_path}/file is no folder\n")
    assert (tmp_path / "file").read_bytes() == b""


def test_an_error_is_one_line() -> None:
    assert sentence(OSError(13, "Permission denied", "/x")) == "/x: Permission denied"
    assert sentence(OSError("can't listen")) == "can't listen"
    assert sentence(ValueError("two\n  lines")) == "two lines"
    assert sentence(ValueError()) == "ValueError"
