"""The user's own line is named, not the library's beneath it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from types import CodeType

import pytest

from instrumentation.runtime.loop import stack
from instrumentation.runtime.loop.stack import Spot


def spots(*files: str) -> tuple[Spot, ...]:
    """Levels of a stack, the innermost first."""
    return tuple(Spot(compile("pass", file, "exec"), 7) for file in files)


LIBRARY = "/venv/lib/python3.12/site-packages"


@pytest.mark.parametrize(
    ("files", "culprit"),
    [
        (("/app/orders.py",), "/app/orders.py"),
        ((json.__file__, "/app/orders.py", "/app/main.py"), "/app/orders.py"),
        ((f"{LIBRARY}/requests/api.py", "/app/orders.py"), "/app/orders.py"),
        (("<frozen importlib._bootstrap>", "/app/orders.py"), "/app/orders.py"),
        ((stack.__file__, "/app/orders.py"), "/app/orders.py"),
        # The application is installed as a package itself.
        (
            (
                f"{LIBRARY}/requests/api.py",
                f"{LIBRARY}/shop/orders.py",
                f"{LIBRARY}/shop/main.py",
                f"{LIBRARY}/starlette/routing.py",
                f"{LIBRARY}/uvicorn/server.py",
            ),
            f"{LIBRARY}/shop/orders.py",
        ),
        # A framework's own work.
        (
            (json.__file__, f"{LIBRARY}/starlette/responses.py", f"{LIBRARY}/fastapi/routing.py"),
            f"{LIBRARY}/starlette/responses.py",
        ),
        ((json.__file__,), json.__file__),
    ],
)
def test_the_culprit_is_whose_code_can_be_changed(files: tuple[str, ...], culprit: str) -> None:
    found = stack.culprit(spots(*files))
    assert found is not None
    assert found.code.co_filename == culprit


def test_nothing_is_named_where_there_is_nothing() -> None:
    assert stack.culprit(()) is None
    assert stack.culprit(spots(stack.__file__)) is None


def outer() -> tuple[Callable[[], int], Callable[[], list[int]]]:
    return lambda: 1, lambda: [n for n in range(3)]  # noqa: C416


@pytest.mark.parametrize(
    "code", [outer.__code__, outer()[0].__code__, outer()[1].__code__], ids=["def", "lambda", "in"]
)
def test_a_lambda_has_the_name_of_the_function_around_it(code: CodeType) -> None:
    assert Spot(code, 3).label() == f"{os.path.basename(__file__)}:3 outer"


def test_the_text_reads_like_a_traceback() -> None:
    text = stack.text((Spot(outer.__code__, outer.__code__.co_firstlineno), *spots("/no/a.py")))
    assert text.splitlines() == [
        '  File "/no/a.py", line 7, in <module>',
        f'  File "{__file__}", line {outer.__code__.co_firstlineno}, in outer',
        "    def outer() -> tuple[Callable[[], int], Callable[[], list[int]]]:",
    ]
