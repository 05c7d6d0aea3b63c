"""A user's numbers change the rules that they should, and a mistake is named by its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alerts import config, generate
from alerts.__main__ import main
from instrumentation.contract.slo import DEFAULTS, keyed


def plan(text: str, folder: Path) -> config.Plan:
    path = folder / "alerts.yaml"
    path.write_text(text)
    return config.load(path)


def test_an_empty_file_is_everybodys_plan(tmp_path: Path) -> None:
    assert plan("", tmp_path) == generate.EVERYBODY
    assert generate.rule_files(plan("", tmp_path)) == generate.rule_files()


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.02", 0.02), ("2%", 0.02), ("0.5 %", 0.005)],
)
def test_a_share_is_a_number_or_percent(text: str, value: float, tmp_path: Path) -> None:
    assert plan(f"errors: {{ratio: {text}}}", tmp_path).numbers.errors.ratio == value


@pytest.mark.parametrize(
    ("text", "value"), [("90", 90), ("90s", 90), ("1m30s", 90), ("1.5m", 90), ("1h", 3600)]
)
def test_a_time_is_seconds_or_has_units(text: str, value: float, tmp_path: Path) -> None:
    assert plan(f"errors: {{wait: {text}}}", tmp_path).numbers.errors.wait == value


def test_every_number_can_be_set(tmp_path: Path) -> None:
    """Each of them is read back; what a rule makes of it is the rules' tests' matter."""
    for key, _, value in keyed(DEFAULTS):
        tree: Any = value
        for name in reversed(key.split(".")):
            tree = {name: tree}
        assert config.parse(tree).numbers == DEFAULTS, key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("erors: {ratio: 2%}", "erors: is no key; did you mean errors?"),
        ("errors: {ration: 2%}", "errors.ration: is no key; did you mean ratio?"),
        ("errors: {ratio: 200%}", "errors.ratio: must be a share from 0.0001 to 0.9999"),
        ("errors: {ratio: 0}", "not 0"),
        ("errors: {ratio: much}", "errors.ratio: must be a share from"),
        ("errors: {ratio: true}", "errors.ratio: must be a share from"),
        ("errors: {ratio: [1]}", "errors.ratio: must be a share from"),
        ("errors: 2%", "errors: must be keys with values, not '2%'"),
        ("errors: {wait: 5 minutes}", "errors.wait: must be a wait from 0s to 1d, not '5 minutes'"),
        ("errors: {wait: -1}", "errors.wait: must be a wait from 0s to 1d, not -1"),
        ("errors: {window: 30s}", "errors.window: must hold 4 scrapes, 60 s or more, not 30 s"),
        ("errors: {min_errors: 1.5}", "errors.min_errors: must be a whole number"),
        ("errors: {min_errors: .nan}", "errors.min_errors: must be a whole number"),
        ("tail: {ratio: 0.5}", "tail.ratio: must be a factor from 1 to 1000, not 0.5"),
        ("objectives: {latency: 250ms}", "such as 0.2067 or 0.2578 s, not 0.25 s"),
        ("objectives: {burn_fast: {rat: 3}}", "objectives.burn_fast.rat: is no key; did you mean"),
        ("team: The Team", "team: must be lower-case letters, digits and -, not 'The Team'"),
        ("services: [a]", "services: must be keys with values"),
        ("services: {a: {erors: {}}}", "services.a.erors: is no key; did you mean errors?"),
        ("services: {a: {routes: {/x: {team: b}}}}", "services.a.routes./x.team: is no key"),
        ("services: {a: {errors: {window: 20s}}}", "services.a.errors.window: must hold 4"),
        ("- a", "must be keys with values, not ['a']"),
        ("a: b: c", "is no YAML"),
        ("errors: {ratio: 2%}\nerrors: {wait: 1m}", "errors: is there twice, first in line 1"),
        ("errors: {ratio: 2%, ratio: 3%}", "ratio: is there twice, first in line 1"),
        ("errors: {long_window: 4m}", "errors.long_window: must be errors.window, 300 s, or more"),
        # A bare number is seconds, and no request is seen to take more than a minute.
        (
            "tail: {floor: 300}",
            "tail.floor: must be below 64.44 s, the last bound of its histogram",
        ),
        ("services: {a: {pool: {waited: 1m}}}", "services.a.pool.waited: must be below 30.5 s"),
        ("services: {'': {}}", "services: must be names without quotes"),
        ("services: {'a\"b': {}}", "services: must be names without quotes"),
        ("services: {a: {routes: {'/{{x}}': {}}}}", "services.a.routes: must be names without"),
        ("objectives: {burn_slow: {window: 1h}}", "objectives.burn_slow.short: must be shorter"),
        (
            "objectives: {availability: 90%}",
            "objectives.burn_fastest.rate: must be below 10, where",
        ),
        ("objectives: {fast: 90%}", "objectives.burn_fastest.rate: must be below 10, where"),
    ],
)
def test_a_mistake_is_named_by_its_key(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is compared below
        plan(text, tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'alerts.yaml'}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "services: {a: {errors: {window: 4m}}}",
            "services.a.errors.window: is the same for all services; set it on top",
        ),
        (
            "services: {a: {intervals: {evaluation: 30s}}}",
            "services.a.intervals.evaluation: is the same for all services; set it on top",
        ),
        (
            "services: {a: {routes: {/x: {traffic: {drop: 50%}}}}}",
            "services.a.routes./x.traffic.drop: no alert of it reads this number",
        ),
    ],
)
def test_a_number_without_effect_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        generate.rule_files(plan(text, tmp_path))


def test_the_command_says_in_one_line_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text("errors: {ration: 2%}")
    with pytest.raises(SystemExit) as caught:
        main(["--config", str(path), "--out", str(tmp_path / "out")])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    message = f"{path}: errors.ration: is no key; did you mean ratio?"
    assert said == f"python -m alerts: error: {message}\n"
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--config", str(tmp_path / "none.yaml"), "--out", str(tmp_path)])
    assert "none.yaml: No such file or directory" in capsys.readouterr().err


def test_a_file_in_the_folders_place_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path / "out")])
    assert f"--out: {tmp_path / 'out'} is no folder" in capsys.readouterr().err


def test_the_committed_folder_is_everybodys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text("")
    with pytest.raises(SystemExit):
        main(["--config", str(path)])
    assert "--out" in capsys.readouterr().err
