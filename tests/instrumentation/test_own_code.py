"""Whose code it is decides what is background work, and which line of a stack is named."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from types import CodeType

import pytest

from instrumentation import own_code
from instrumentation.own_code import installed_package, is_own, is_users

INSTALLED = "/venv/lib/python3.12/site-packages/shop/orders.py"


def code(file: str) -> CodeType:
    return compile("pass", file, "exec")


@pytest.mark.parametrize(
    ("file", "users"),
    [
        ("/app/orders.py", True),
        ("<string>", True),
        (INSTALLED, False),
        ("/usr/lib/python3/dist-packages/six.py", False),
        (json.__file__, False),
        ("<frozen importlib._bootstrap>", False),
        (own_code.__file__, False),
    ],
)
def test_a_file_is_a_users_unless_it_is_installed_or_pythons_or_ours(
    file: str, users: bool
) -> None:
    assert is_users(file) is users
    assert is_own(code(file), "somewhere.else", frozenset()) is users


@pytest.mark.parametrize(
    ("file", "package"),
    [
        (INSTALLED, "shop"),
        ("/usr/lib/python3/dist-packages/six.py", "six"),
        ("/app/orders.py", ""),
        ("/app/site-packages", ""),
    ],
)
def test_the_package_of_an_installed_file(file: str, package: str) -> None:
    assert installed_package(file) == package


@pytest.mark.parametrize("packages", [frozenset(), frozenset(("shop",)), frozenset(("depot",))])
def test_an_installed_package_is_own_to_the_application_that_it_is(packages: Iterable[str]) -> None:
    assert is_own(code(INSTALLED), "shop.orders", frozenset(packages)) is ("shop" in packages)


def test_the_packages_are_those_of_the_caller_and_of_the_endpoints() -> None:
    endpoints = (json.loads, sys.exit, test_the_package_of_an_installed_file)
    assert own_code.packages("shop.main", endpoints) == {"shop", "json", "sys", "tests"}
