"""The command line refuses what it can't do, before anything starts."""

import pytest

from drill.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--rows", "errors,floods"], "'floods' is none of slow_tail, errors, traffic"),
        (["--scale", "11"], "must be a number from 1 to 10, not 11"),
        (["--scale", "0.5"], "must be a number from 1 to 10, not 0.5"),
        (["--healthy-seconds", "-1"], "must be a number of seconds above 0, not '-1'"),
        (["--healthy-seconds", "nan"], "must be a number of seconds above 0, not 'nan'"),
        (["--report", "/dev/null/report.html"], "argument --report: /dev/null: Not a directory"),
        (["--scale", "fast"], "must be a number from 1 to 10, not fast"),
    ],
)
def test_a_wrong_argument_is_refused(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(arguments)
    assert refusal.value.code == 2
    assert reason in capsys.readouterr().err
