"""Server-sent events against a naive reading of the WHATWG's rules, over the whole bytes at once.

The one difference, which chat clients need: what the end of the stream leaves unfinished still counts.
Data is compared as text, since the standard decodes invalid UTF-8 to U+FFFD.
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aldo.transport.wire.sse import SseDecoder

BOM = b"\xef\xbb\xbf"
LS = "\u2028".encode()

_ends = st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r", b"\r\n\n", b"\n\r\n"])
_heads = st.sampled_from(
    b"data:|data: |data|data:  | data: |Data: |dat|datax: |:|: keepalive 19/20|event: x|event: done|id: 1|id|"
    b"retry: 10|retry: no|foo: bar||\xef\xbb\xbf".split(b"|")
)
_values = st.sampled_from(
    b'|{}|{"a": "b:c"}|[DONE]| lead|tail |\x00|a\x00b|\xe2\x80\xa8|\xc3\xa9|\xf0\x9f\xa6\x93|'
    b"\xff|\xc3|\xe2\x80|\xef\xbb\xbf|data: x|\t|\x0b|\x0c|\x1c|\x85|\xc2\x85".split(b"|")
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
@example(BOM + b"data: x")
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
    "a BOM goes also where no line ever ends": (BOM + b"data: a", ["a"]),
    "a BOM anywhere else stays": (b"\n" + BOM + b"data: a\n\ndata: b" + BOM + b"\n\n", ["b\ufeff"]),
    "U+2028 and U+0085 end no line": (b"data: a" + LS + b"b\xc2\x85c\x0bd\n\n", ["a\u2028b\x85c\x0bd"]),
    "NUL is a character": (b"data: a\x00b\n\nid: 1\x00\ndata: c\n\n", ["a\x00b", "c"]),
    "invalid UTF-8 spoils nothing else": (b"data: a\xffb\n\ndata: \xe2\n\ndata: c\n\n", ["a\ufffdb", "\ufffd", "c"]),
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
