"""The receiver understands Alertmanager's messages."""

import json
import time
from pathlib import Path

import httpx

from drill.receiver import Receiver
from tests.drill.messages import message


def test_every_alert_of_a_message_is_remembered_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "notifications.jsonl"
    before = time.time()
    with Receiver(log) as receiver:
        sent = message("page", "firing", "HighErrorRatio", "HighTailLatency")
        assert httpx.post(f"{receiver.url}/page", json=sent).is_success
        first, second = receiver.received(before)
        assert not receiver.received(time.time() + 1)
    assert (first.alert, first.job, first.status) == ("HighErrorRatio", "orders", "firing")
    assert first.receiver == second.receiver == "page"
    assert second.alert == "HighTailLatency"
    assert before <= first.at <= time.time()
    assert json.loads(log.read_text())["alerts"] == sent["alerts"]


def test_a_closed_receiver_gives_its_port_back(tmp_path: Path) -> None:
    with Receiver(tmp_path / "log") as receiver:
        url = receiver.url
    try:
        httpx.post(url, json={})
    except httpx.ConnectError:
        return
    raise AssertionError("somebody still listens")
