"""Server-sent events against a naive reading of the WHATWG's rules, over the whole bytes at once.

The one difference, which chat clients need: what the end of the stream leaves unfinished still counts.
Data is compared as text, since the standard decodes invalid UTF-8 to U+FFFD.
"""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aldo.transport.sse import SseDecoder

BOM = b"\xef\xbb\xbf"
LS = "\u2028".encode()

_ends = st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r", b"\r\n\n", b"\n\r\n"])
_heads = st.sampled_from(
    [b"data:", b"data: ", b"data", b"data:  ", b" data: ", b"Data: ", b"dat", b"datax: ", b":", b": keepalive 19/20"]
    + [b"event: x", b"event: done", b"id: 1", b"id", b"retry: 10", b"retry: no", b"foo: bar", b"", BOM]
)
_values = st.sampled_from(
    [b"", b"{}", b'{"a": "b:c"}', b"[DONE]", b" lead", b"tail ", b"\x00", b"a\x00b", LS, "é".encode(), "🦓".encode()]
    + [b"\xff", b"\xc3", b"\xe2\x80", BOM, b"data: x", b"\t", b"\x0b", b"\x0c", b"\x1c", b"\x85", "\x85".encode()]
)
_lines = st.tuples(_heads, _values, _ends).map(b"".join)
_streams = st.one_of(
    st.tuples(st.sampled_from([b"", BOM, BOM + BOM, b"\n"]), st.lists(_lines, max_size=12).map(b"".join)).map(b"".join),
    st.lists(st.one_of(_heads, _values, _ends, st.binary(max_size=4)), max_size=20).map(b"".join),
)


def reference(stream: bytes) -> list[str]:
    """The data of each event, as https://html.spec.whatwg.org/#event-stream-interpretation has it."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    events: list[str] = []
    data = ""
    for line in [*re.split("\r\n|\r|\n", text), ""]:  # the last "" finishes what the end left open
        if line == "":
            if data != "":
                events.append(data.removesuffix("\n"))
            data = ""
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            if name == "data":
                data += value.removeprefix(" ") + "\n"
    return events


def decode(pieces: list[bytes]) -> list[bytes]:
    decoder = SseDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.end()


def as_text(events: list[bytes]) -> list[str]:
    return [event.decode("utf-8", "replace") for event in events]


@settings(max_examples=1500)
@given(_streams)
@example(b"data:\n\n")
@example(b"data\n\n")
@example(b"data\ndata\n\n")
@example(b"data: a\rdata: b\r\n\r\ndata: c")
@example(b"\xef\xbbdata: x\n\n")
@example(BOM + BOM + b"data: x\n\n")
@example(b"data: x\n" + BOM + b"data: y\n\n")
def test_events_are_those_of_the_standard(stream: bytes) -> None:
    assert as_text(decode([stream])) == reference(stream)


@settings(max_examples=1500)
@given(_streams, st.data())
def test_how_the_bytes_were_split_never_matters(stream: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    pieces = [stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])]  # empty pieces too
    assert as_text(decode(pieces)) == reference(stream)


@settings(max_examples=500)
@given(_streams)
def test_one_byte_at_a_time_is_as_good_as_all_at_once(stream: bytes) -> None:
    assert decode([stream[i : i + 1] for i in range(len(stream))]) == decode([stream])


@settings(max_examples=300)
@given(_streams, st.data())
def test_a_decoder_never_looks_back_or_ahead(stream: bytes, data: st.DataObject) -> None:
    """What a prefix gave is what the whole gives first: later bytes change no event that was handed out."""
    cut = data.draw(st.integers(0, len(stream)))
    given_out = SseDecoder().feed(stream[:cut])
    assert decode([stream])[: len(given_out)] == given_out


CASES = {
    "no space after the colon": (b"data:x\n\n", ["x"]),
    "only the first space goes": (b"data:  x \n\n", [" x "]),
    "several data lines are one event": (b"data: a\ndata:\ndata: b\n\n", ["a\n\nb"]),
    "a bare CR ends a line": (b"data: a\r\rdata: b\r\r", ["a", "b"]),
    "endings may be mixed": (b"data: a\r\n\ndata: b\n\rdata: c\r\n\r\n", ["a", "b", "c"]),
    "CRLF is one ending, not two": (b"data: a\r\ndata: b\r\n\r\n", ["a\nb"]),
    "LF CR is two endings": (b"data: a\n\rdata: b\n\n", ["a", "b"]),
    "comments are nothing, also within an event": (b": k\n\n: k\ndata: a\n: k\ndata: b\n\n:\n\n", ["a\nb"]),
    "frames of other fields alone are no events": (b"event: x\n\nid: 1\n\nretry: 5\n\ndata: a\nid: 2\n\n", ["a"]),
    "field names are exact": (b"Data: a\n data: b\ndatax: c\ndata : d\ndata: e\n\n", ["e"]),
    "a BOM at the beginning goes": (BOM + b"data: a\n\n", ["a"]),
    "a BOM anywhere else stays": (b"\n" + BOM + b"data: a\n\ndata: b" + BOM + b"\n\n", ["b\ufeff"]),
    "U+2028 and U+0085 end no line": (b"data: a" + LS + b"b\xc2\x85c\x0bd\x0ce\x1cf\n\n", ["a\u2028b\x85c\x0bd\x0ce\x1cf"]),
    "NUL is a character": (b"data: a\x00b\n\nid: 1\x00\ndata: c\n\n", ["a\x00b", "c"]),
    "invalid UTF-8 spoils nothing else": (b"data: a\xff\xc3b\n\ndata: \xe2\x80\n\ndata: c\n\n", ["a\ufffd\ufffdb", "\ufffd", "c"]),
    "an end without a blank line": (b"data: a\n\ndata: b\n", ["a", "b"]),
    "an end within a line": (b"data: a\n\ndata: b", ["a", "b"]),
    "an end after a bare CR": (b"data: a\r", ["a"]),
    "an end within a comment or another field": (b"data: a\n\nevent: x", ["a"]),
    "a field without a colon": (b"data\ndata\n\n", ["\n"]),
    "nothing at all": (b"", []),
}  # fmt: skip


@pytest.mark.parametrize(("stream", "events"), CASES.values(), ids=CASES.keys())
def test_by_example(stream: bytes, events: list[str]) -> None:
    assert reference(stream) == events  # the reference is tested too
    assert as_text(decode([stream])) == events
    assert as_text(decode([stream[i : i + 1] for i in range(len(stream))])) == events


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"], ids=["LF", "CRLF"])
def test_an_event_is_out_as_soon_as_its_blank_line_is_in(end: bytes) -> None:
    decoder = SseDecoder()
    for number in range(3):
        stream = b"data: %d%s" % (number, end)
        out = [event for i in range(len(stream)) for event in decoder.feed(stream[i : i + 1])]
        assert out == [b"%d" % number]


def test_the_end_gives_nothing_twice() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\n\ndata: b") == [b"a"]
    assert decoder.end() == [b"b"]
    assert decoder.end() == []


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
