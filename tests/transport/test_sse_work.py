"""Decoding costs work linear in the bytes, also for one very long line that arrives a byte at a time.

Work is counted, not timed: in bytes that were copied or searched, and in joins.
"""

from __future__ import annotations

import sys
from typing import Any

from aldo.transport.wire.sse import SseDecoder


class Work:
    """How many bytes were looked at or copied by the operations that a `Counted` saw."""

    def __init__(self) -> None:
        self.bytes = 0


def _counting(name: str) -> Any:
    def method(self: Counted, *arguments: Any) -> Any:
        self.work.bytes += len(self) + sum(len(a) for a in arguments if isinstance(a, (bytes, bytearray)))
        result = getattr(bytes, name)(self, *arguments)
        return Counted.of(result, self.work) if isinstance(result, bytes) else result

    return method


class Counted(bytes):
    """Bytes whose copies count too, so that joining a growing buffer with every piece shows."""

    work: Work

    @staticmethod
    def of(value: bytes, work: Work) -> Counted:
        counted = Counted(value)
        counted.work = work
        return counted

    def __radd__(self, other: Any) -> Any:
        self.work.bytes += len(self) + len(other)
        return Counted.of(bytes(other) + bytes(self), self.work)

    def __getitem__(self, key: Any) -> Any:
        result = bytes.__getitem__(self, key)
        if isinstance(result, bytes):
            self.work.bytes += len(result)
            return Counted.of(result, self.work)
        return result

    for _name in ("__add__", "find", "index", "split", "splitlines", "partition", "rpartition", "replace", "rsplit"):
        locals()[_name] = _counting(_name)
    for _name in ("__contains__", "strip", "rstrip", "lstrip", "count", "rfind", "translate"):
        locals()[_name] = _counting(_name)


def _work_on_a_long_line(size: int) -> tuple[int, int]:
    """Bytes handled and joins made while a line of `size` bytes comes in one by one, before it ends."""
    work = Work()
    joins = 0

    def watch(frame: Any, event: str, argument: Any) -> None:
        nonlocal joins
        joins += event == "c_call" and getattr(argument, "__name__", "") == "join"

    decoder = SseDecoder()
    pieces = [Counted.of(b"x", work) for _ in range(size)]
    decoder.feed(b"data: ")
    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        for piece in pieces:
            assert decoder.feed(piece) == []
    finally:
        sys.setprofile(before)
    assert decoder.feed(b"\n\n") == [b"x" * size]
    return work.bytes, joins


def test_work_on_a_long_line_grows_with_its_length_and_not_with_its_square() -> None:
    small, _ = _work_on_a_long_line(2_000)
    large, joins = _work_on_a_long_line(20_000)
    assert large <= 11 * small
    assert large <= 40 * 20_000
    assert joins <= 100  # nothing is joined until the line ends


def test_a_line_of_a_megabyte_may_come_byte_by_byte() -> None:
    decoder = SseDecoder()
    stream = b"data: " + b"y" * 1_000_000
    for i in range(len(stream)):
        assert decoder.feed(stream[i : i + 1]) == []
    assert decoder.feed(b"\n\n") == [b"y" * 1_000_000]
