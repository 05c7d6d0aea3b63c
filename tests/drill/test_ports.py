"""The drill's ports."""

import socket

import pytest

from drill import ports
from drill.errors import DrillError
from drill.ports import free_ports


def test_each_name_gets_a_port_of_its_own_that_is_free() -> None:
    names = {f"PORT_{number}" for number in range(50)}
    chosen = free_ports(names)
    assert chosen.keys() == names
    assert len(set(chosen.values())) == len(names)
    for port in chosen.values():
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", int(port)))


def test_too_few_free_ports_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        monkeypatch.setattr(ports, "RANGE", range(number, number + 1))
        with pytest.raises(DrillError, match=r"are no 1 free ports"):
            free_ports(["ONLY_PORT"])


def test_a_block_of_ports_belongs_to_one_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "RANGE", range(17_000, 17_100))
    claims: list[socket.socket] = []
    monkeypatch.setattr(ports, "_claims", claims)
    names = [f"PORT_{number}" for number in range(40)]
    first, second = free_ports(names), free_ports(names)
    assert not set(first.values()) & set(second.values())
    with pytest.raises(DrillError, match=r"are no 40 free ports"):
        free_ports(names)
    for claim in claims:
        claim.close()
    claims.clear()
    assert free_ports(names)
    for claim in claims:
        claim.close()
