"""Waiting is bounded, and bears with servers that are busy."""

import httpx
import pytest

from drill.errors import DrillError, MissedError
from drill.waiting import Waiter


def nothing() -> None:
    return None


def test_the_first_thing_found_is_returned() -> None:
    answers = iter([None, None, 0])
    assert Waiter(nothing).until("number", lambda: next(answers), seconds=30) == 0


def test_a_wait_in_vain_says_for_what_and_how_long() -> None:
    with pytest.raises(MissedError, match=r"^no page within 0 s$"):
        Waiter(nothing).until("page", nothing, seconds=0)


def test_a_request_that_fails_is_tried_again() -> None:
    attempts = iter([httpx.ReadTimeout("busy"), httpx.ConnectError("refused"), None])

    def ask() -> str:
        error = next(attempts)
        if error:
            raise error
        return "answer"

    assert Waiter(nothing).until("answer", ask, seconds=30) == "answer"


def test_a_request_that_fails_to_the_end_is_told() -> None:
    def ask() -> None:
        raise httpx.ConnectError("refused")

    with pytest.raises(MissedError, match="no answer within 0 s \\(last answer: refused\\)"):
        Waiter(nothing).until("answer", ask, seconds=0)


def test_a_stack_that_ended_is_not_waited_for() -> None:
    def watch() -> None:
        raise DrillError("The stack ended by itself")

    with pytest.raises(DrillError, match="ended by itself"):
        Waiter(watch).until("page", nothing, seconds=30)


def test_a_check_is_repeated_until_it_fails_or_the_time_is_over() -> None:
    Waiter(nothing).during("silence", nothing, seconds=0.1)
    turns = iter([None, None])
    with pytest.raises(StopIteration):
        Waiter(nothing).during("silence", lambda: next(turns), seconds=30)


def test_a_check_that_gets_no_answer_is_repeated() -> None:
    attempts = iter([httpx.ReadTimeout("busy")])

    def check() -> None:
        for error in attempts:
            raise error

    Waiter(nothing).during("silence", check, seconds=0.1)


def test_a_refused_request_is_explained_by_the_end_of_the_stack() -> None:
    turns = iter([False, True])

    def watch() -> None:
        if next(turns):
            raise DrillError("The stack ended by itself: jaeger ended")

    def check() -> None:
        raise httpx.ConnectError("refused")

    with pytest.raises(DrillError, match="jaeger ended"):
        Waiter(watch).during("silence", check, seconds=30)
