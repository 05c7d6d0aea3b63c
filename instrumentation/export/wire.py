"""Protobuf's wire format, as far as spans need it: https://protobuf.dev/programming-guides/encoding."""

from __future__ import annotations

from typing import Final

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""How a field's value is spelled, as its tag says."""


def varint(number: int) -> bytes:
    """`number` in protobuf's variable length; a negative one in ten bytes, as an int64."""
    if 0 <= number < 0x80:
        return _SHORT[number]
    number &= 0xFFFFFFFFFFFFFFFF
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


_SHORT: Final = tuple(bytes([number]) for number in range(0x80))


def tag(field: int, kind: int) -> bytes:
    """What stands before a field's value."""
    return varint(field << 3 | kind)


def delimited(field: int, payload: bytes) -> bytes:
    """A field that holds a string, bytes or a message."""
    return tag(field, BYTES) + varint(len(payload)) + payload


def counted(field: int, number: int) -> bytes:
    """A field that holds a number; nothing for 0, which is every number's default."""
    return tag(field, VARINT) + varint(number) if number else b""
