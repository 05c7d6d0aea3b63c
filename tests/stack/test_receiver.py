"""The demo's pager: what Alertmanager sends can be read, in its log and in a browser."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack import receiver
from stack.environment import REPOSITORY
from tests.stack.running import eventually, free_ports, left_behind, started

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("receiver") / "receiver.log"


@pytest.fixture(scope="module")
def url(log: Path) -> Iterator[str]:
    port = free_ports()["RECEIVER_PORT"]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "stack.receiver"],
            cwd=REPOSITORY,
            env={**os.environ, "RECEIVER_PORT": port},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}/"
    try:
        eventually(lambda: answers(address), explain=log.read_text)
        yield address
    finally:
        process.terminate()
        assert process.wait(30) == 0


def answers(address: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(address).is_success
    return False


def message(receiver: str, name: str, **annotations: str) -> dict[str, Any]:
    labels = {"alertname": name, "job": "orders", "severity": "critical"}
    alert = {"status": "firing", "labels": labels, "annotations": annotations, "startsAt": "x"}
    return {"version": "4", "status": "firing", "receiver": receiver, "alerts": [alert]}


def test_a_page_is_readable_in_the_log_and_in_a_browser(url: str, log: Path) -> None:
    sent = message("page", "Errors", summary="5xx is 8 %", runbook_url="http://a.test/Errors.md")
    assert httpx.post(f"{url}page", json=sent).status_code == httpx.codes.OK
    for text in (log.read_text(), httpx.get(url).text):
        assert "page: FIRING Errors of orders. 5xx is 8 %\n" in text
        assert "  Runbook: http://a.test/Errors.md\n" in text


def test_the_dead_man_s_switch_does_not_push_pages_out_of_sight(url: str) -> None:
    httpx.post(f"{url}page", json=message("page", "Kept"))
    for _ in range(150):
        httpx.post(f"{url}dead-man", json=message("dead-man", "Watchdog"))
    text = httpx.get(url).text
    assert "FIRING Kept of orders" in text
    assert "FIRING Watchdog" not in text
    assert "last heard at" in text


def test_a_label_can_t_forge_a_line(url: str, log: Path) -> None:
    httpx.post(f"{url}page", json=message("page", "Forged", summary="a\n\x1b[31mpage: FIRING All"))
    assert "\npage: FIRING All" not in log.read_text()
    assert "\x1b" not in log.read_text()


@pytest.mark.parametrize("body", ["", "hello", "[]", '{"receiver": "page"}'])
def test_what_is_no_message_is_refused(url: str, body: str) -> None:
    answer = httpx.post(f"{url}page", content=body)
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "no message of Alertmanager's" in answer.text


def test_an_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        receiver.main(["foo"])
    assert ended.value.code == 2
    assert "unrecognized arguments: foo" in capsys.readouterr().err


def test_a_taken_port_is_one_sentence(url: str) -> None:
    port = str(httpx.URL(url).port)
    result = subprocess.run(
        [sys.executable, "-m", "stack.receiver"],
        cwd=REPOSITORY,
        env={**os.environ, "RECEIVER_PORT": port},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 1
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith(f"error: RECEIVER_PORT: can't listen on 127.0.0.1:{port}")


def test_the_committed_configuration_reaches_the_receiver_on_any_port(tmp_path: Path) -> None:
    """Alertmanager itself sends: the address files and the templates are found."""
    ports = free_ports()
    committed = str(REPOSITORY / "alerts" / "alertmanager.yml")
    only = ("--only", "receiver,alertmanager", "--alertmanager-config", committed)
    with started(tmp_path, ports, *only):
        alert = {"labels": {"alertname": "Watchdog", "job": "prometheus"}}
        alertmanager = f"http://127.0.0.1:{ports['ALERTMANAGER_PORT']}/api/v2/alerts"
        httpx.post(alertmanager, json=[alert]).raise_for_status()
        log = tmp_path / "data" / "log" / "receiver.log"
        eventually(lambda: "dead-man: FIRING Watchdog of prometheus" in log.read_text())
    assert not left_behind(tmp_path)
