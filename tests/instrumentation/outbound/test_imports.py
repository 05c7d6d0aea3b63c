"""What is imported when, and what is said where something is missing."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

import instrumentation.outbound
from instrumentation.extras import remedy


def run(code: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_helpers_are_imported_when_they_are_asked_for() -> None:
    code = """
        import sys, instrumentation.outbound
        print({"httpx", "httpx2", "tenacity"} & sys.modules.keys())
        from instrumentation.outbound import RetryPolicy, async_client, client
        print("tenacity" in sys.modules)
    """
    assert run(code) == "set()\nTrue\n"


@pytest.mark.parametrize("missing", ["tenacity", "httpx"])
def test_a_missing_package_is_named_with_its_remedy(missing: str) -> None:
    code = f"""
        import sys
        sys.modules["{missing}"] = None
        if "{missing}" == "httpx":
            sys.modules["httpx2"] = None
        try:
            from instrumentation.outbound import client
            client()
        except ModuleNotFoundError as error:
            print(error)
    """
    said = run(code)
    assert missing in said
    assert remedy("httpx") in said


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'clinet'"):
        _ = instrumentation.outbound.clinet
