"""Waits until web servers answer. `python -m stack.ready name=url ...` does it in Compose."""

import socket
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, urlsplit

import httpx

from stack.console import Progress
from stack.errors import StackError

PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.25


def answers(url: str) -> bool:
    """Return whether the URL answers 200 now, or a ping where it is a Redis."""
    if url.startswith("redis://"):
        return _pongs(urlsplit(url))
    try:
        # A proxy of the environment has no business with these addresses.
        return httpx.get(url, timeout=2, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _pongs(address: SplitResult) -> bool:
    try:
        place = (address.hostname or "", address.port or 6379)
        with socket.create_connection(place, timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def wait(
    urls: Mapping[str, str],
    *,
    patience: float = PATIENCE_SECONDS,
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Wait until every URL answers, and show who is still missing.

    Args:
        urls: each server's URL by its name.
        patience: seconds until a StackError names who did not answer.
        watch: called at each turn; an exception of it ends the wait.
    """
    step = Progress(f"wait for {', '.join(urls)}")
    missing = dict(urls)
    deadline = time.monotonic() + patience
    while missing := {name: url for name, url in missing.items() if not answers(url)}:
        watch()
        step.beat(f"{', '.join(missing)} missing")
        if time.monotonic() > deadline:
            step.done("gave up")
            raise StackError(f"{' and '.join(missing)} did not answer within {patience:.0f} s.")
        time.sleep(POLL_SECONDS)
    step.done("ready")


def main(arguments: list[str] | None = None) -> int:
    """Wait for the servers given as `name=url`; return the exit status."""
    parser = ArgumentParser(prog="python -m stack.ready", description=__doc__)
    parser.add_argument("servers", type=_server, nargs="+", metavar="name=url")
    try:
        wait(dict(parser.parse_args(arguments).servers))
    except StackError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _server(text: str) -> tuple[str, str]:
    name, found, url = text.partition("=")
    if not (name and found and url):
        raise ArgumentTypeError(f"must be name=url, not {text!r}")
    return name, url


if __name__ == "__main__":
    sys.exit(main())
