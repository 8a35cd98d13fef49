"""From bytes to typed events, however the bytes were split: the whole path but for the socket."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import TransportError
from aldo.transport.wire.accumulate import ChatAccumulator
from aldo.transport.wire.reader import EventReader, parsed
from tests.transport.test_sse_work import Counted, Work
from tests.transport.test_transcripts import NAMES, Case


def told(pieces: Iterable[bytes]) -> list[Any]:
    """The events, and the error in their place where there is one."""
    reader, answer = EventReader(), ChatAccumulator()
    found: list[Any] = []
    try:
        for piece in pieces:
            for data in reader.feed(piece):
                found += answer.chunk(parsed(data))
            if reader.done:
                break
        for data in reader.end():
            found += answer.chunk(parsed(data))
        found += answer.end()
    except TransportError as error:
        found.append((error.code, str(error)))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_events_of_a_transcript_are_the_same_at_every_split_position_and_byte_by_byte(name: str) -> None:
    raw = Case(name).raw
    whole = told([raw])
    assert told(raw[i : i + 1] for i in range(len(raw))) == whole
    for cut in range(len(raw) + 1):
        assert told([raw[:cut], raw[cut:]]) == whole, cut


_texts = st.text(st.characters(codec="utf-8"), max_size=6)
_fragments = st.fixed_dictionaries(
    {},
    optional={
        "index": st.integers(0, 2) | st.none(),
        "id": st.sampled_from(["", "a", "b"]) | st.none(),
        "function": st.fixed_dictionaries(
            {}, optional={"name": st.sampled_from(["", "f", "fg"]), "arguments": st.sampled_from(["", "{", "}", "{}"])}
        ),
    },
)
_deltas = st.fixed_dictionaries(
    {},
    optional={
        "content": _texts | st.none(),
        "reasoning": _texts,
        "refusal": _texts | st.none(),
        "tool_calls": st.lists(_fragments, max_size=2) | st.none(),
    },
)
_choices = st.fixed_dictionaries(
    {"delta": _deltas}, optional={"finish_reason": st.sampled_from([None, "", "stop", "length", "tool_calls", "odd"])}
)
_chunks = st.one_of(
    st.fixed_dictionaries({"choices": st.lists(_choices, max_size=2) | st.none()}, optional={"model": _texts}),
    st.fixed_dictionaries({"choices": st.just([]), "usage": st.just({"prompt_tokens": 1, "completion_tokens": 2})}),
    st.just({"error": {"message": "no", "code": 400}}),
)
_noise = st.sampled_from([b"", b": keepalive\n\n", b"event: x\n", b"id: 1\r\n", b"\n", b"retry: 1\r\r"])
_ends = st.sampled_from([b"\n\n", b"\r\n\r\n", b"\r\r"])


@st.composite
def _streams(draw: st.DrawFn) -> bytes:
    frames = draw(st.lists(st.tuples(_noise, _chunks, st.booleans(), _ends), max_size=6))
    raw = b"".join(
        noise + (b"data: " if spaced else b"data:") + json.dumps(chunk, ensure_ascii=ascii_).encode() + end
        for (noise, chunk, spaced, end), ascii_ in zip(frames, [True, False] * 3, strict=False)
    )
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + raw + draw(st.sampled_from([b"", b"data: [DONE]\n\n"]))


@settings(max_examples=400, deadline=None)
@given(_streams(), st.data())
def test_events_never_depend_on_how_the_bytes_were_split(stream: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted))
    whole = told([stream])
    assert told(stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])) == whole
    assert told(stream[i : i + 1] for i in range(len(stream))) == whole


def _work_of_a_line(size: int) -> int:
    work = Work()
    reader = EventReader()
    reader.feed(b"data: ")
    for _ in range(size):
        reader.feed(Counted.of(b"x", work))
    assert reader.feed(b"\n\n") == [b"x" * size]
    return work.bytes


def test_the_work_of_a_line_in_one_byte_pieces_grows_with_its_length() -> None:
    assert _work_of_a_line(40_000) <= 11 * _work_of_a_line(4_000)


def test_a_line_of_ten_megabytes_in_one_byte_pieces_is_joined_once() -> None:
    """What is kept until the line ends is the pieces themselves: none of them was copied into another."""
    size = 10_000_000
    reader = EventReader()
    reader.feed(b"data: ")
    for _ in range(size):
        reader.feed(b"y")
    assert len(reader._decoder._tail) == size + 1
    assert reader.feed(b"\n\n") == [b"y" * size]
    assert reader._decoder._tail == []
