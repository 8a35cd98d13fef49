"""Recorded and invented streams, each beside what it means: `tests/cases/streams/NAME.sse` and `NAME.yaml`.

A stream gives the same events however it was cut, through the parts and through a real socket.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from aldo.errors import TransportError
from aldo.transport import ChatResult, Finished, ReasoningDelta, TextDelta, ToolCallReady
from aldo.transport.wire.accumulate import ChatAccumulator
from aldo.transport.wire.sse import SseDecoder
from tests.support.bound import ASK, STREAM, bind, entry
from tests.support.fake_server import FakeServer, Reply, chunked, http, sse

FOLDER = Path(__file__).parents[1] / "cases" / "streams"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sse"))


class Case:
    """One transcript. `sse: false` in its file: only a client can judge it, not decoder and accumulator alone."""

    def __init__(self, name: str) -> None:
        self.raw = (FOLDER / f"{name}.sse").read_bytes()
        self.expected: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        self.content_type: str = self.expected.get("contentType", "text/event-stream")

    def check(self, events: Iterable[Any]) -> None:
        """Drain the events, which end in a result or in an error, and hold them against the expected ones."""
        seen: list[Any] = []
        failure: TransportError | None = None
        try:
            seen.extend(events)  # keeps what came before an error
        except TransportError as error:
            failure = error
        if failure is not None:
            assert not any(isinstance(event, Finished) for event in seen)
            assert failure.code in self.expected.get("error", []), f"{failure.code}: {failure}"
            assert failure.exit_code == 3
        else:
            self._check_result(seen)
        if not self.expected.get("mayText") and not (failure and self.expected.get("either")):
            assert [event.text for event in seen if isinstance(event, TextDelta)] == self.expected.get("texts", [])
            thoughts = [event.text for event in seen if isinstance(event, ReasoningDelta)]
            assert thoughts == self.expected.get("reasonings", [])

    def _check_result(self, seen: list[Any]) -> None:
        assert "result" in self.expected, f"a success, though {self.expected['error']} was to come: {seen}"
        assert isinstance(seen[-1], Finished)
        assert sum(isinstance(event, Finished) for event in seen) == 1
        result: ChatResult = seen[-1].result
        wanted = self.expected["result"]
        calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in result.tool_calls]
        found = result.to_dict()
        finish = wanted["finishReason"]
        assert result.finish_reason in (finish if isinstance(finish, list) else [finish])
        assert {"toolCalls": calls} | {
            key: found[key] for key in wanted if key not in ("toolCalls", "finishReason")
        } == {key: value for key, value in wanted.items() if key != "finishReason"}
        assert "".join(event.text for event in seen if isinstance(event, TextDelta)) == result.text
        assert "".join(event.text for event in seen if isinstance(event, ReasoningDelta)) == result.reasoning
        assert tuple(event.call for event in seen if isinstance(event, ToolCallReady)) == result.tool_calls


def frames(pieces: Iterable[bytes]) -> tuple[bytes, ...]:
    decoder = SseDecoder()
    found = [data for piece in pieces for data in decoder.feed(piece)]
    return (*found, *decoder.end())


def events(data: Iterable[bytes]) -> Iterator[Any]:
    """What the frames mean, up to `[DONE]`."""
    accumulator = ChatAccumulator()
    for item in data:
        if item.strip() == b"[DONE]":
            break
        yield from accumulator.chunk(json.loads(item))
    yield from accumulator.end()


@pytest.mark.parametrize("name", [name for name in NAMES if Case(name).expected.get("sse", True)])
def test_a_stream_means_the_same_wherever_it_was_split(name: str) -> None:
    case = Case(name)
    splits = {frames([case.raw[:cut], case.raw[cut:]]) for cut in range(len(case.raw) + 1)}
    splits.add(frames([case.raw[i : i + 1] for i in range(len(case.raw))]))
    assert len(splits) == 1
    case.check(events(splits.pop()))


def _streamed(case: Case, reply: Reply | bytes) -> None:
    with FakeServer([reply]) as server, bind(entry(case.expected["kind"], {"baseUrl": server.url})) as client:
        case.check(client.stream(ASK))
        assert server.connections == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_means_the_same_over_a_socket_byte_by_byte(name: str) -> None:
    case = Case(name)
    _streamed(case, Reply(sse(case.raw, content_type=case.content_type), bytewise=True))


@pytest.mark.parametrize("name", [name for name in NAMES if Case(name).content_type == "text/event-stream"])
def test_a_stream_means_the_same_in_http_chunks(name: str) -> None:
    case = Case(name)
    _streamed(case, chunked(case.raw, 7) if case.raw else chunked(b"", 1))


@pytest.mark.parametrize("name", ["mlx-plain", "vllm-tools", "llamacpp-error", "html-page", "whole-json"])
def test_a_compressed_stream_is_read_too(name: str) -> None:
    case = Case(name)
    packed = gzip.compress(case.raw)
    _streamed(case, Reply(http(packed, content_type=case.content_type, content_encoding="gzip"), bytewise=True))


@pytest.mark.parametrize("name", ["mlx-plain", "vllm-plain", "ollama-plain"])
def test_what_is_cut_before_its_finish_reason_is_never_a_success(name: str) -> None:
    """A chat is cut after every frame and within each: an answer comes back whole or not at all."""
    case = Case(name)
    edges = [0, *(i + 2 for i in range(len(case.raw)) if case.raw[i : i + 2] == b"\n\n")]
    finish = next(b for a, b in pairwise(edges) if b'"length"' in case.raw[a:b] or b'"stop"' in case.raw[a:b])
    cuts = sorted({cut for a, b in pairwise(edges) for cut in (a, (a + b) // 2) if cut < finish - 1})
    with FakeServer([chunked(case.raw[:cut], 64, whole=False) if cut else sse(b"") for cut in cuts]) as server:
        model = entry(case.expected["kind"], {"baseUrl": server.url})
        for _ in cuts:
            with bind(model) as client, pytest.raises(TransportError) as caught:
                list(client.stream(ASK))
            assert caught.value.code in ("stream_cut", "protocol"), caught.value
        assert server.connections == len(cuts)  # nobody asked twice


@pytest.mark.parametrize(
    "end",
    [
        lambda: Reply(chunked(STREAM, 64, whole=False)),
        lambda: Reply(chunked(STREAM, 64, whole=False), after="reset"),
        lambda: Reply(sse(STREAM), after="hang"),
        lambda: Reply(chunked(STREAM, 64, whole=False), after="drip", drip=b"d\r\n: keepalive\n\n\r\n"),
    ],
    ids=["no closing chunk", "a reset", "the socket stays open", "keepalives go on"],
)
def test_after_done_an_answer_is_whole_whatever_the_connection_does(end: Callable[[], Reply]) -> None:
    with FakeServer([end()]) as server, bind(entry("mlx", {"baseUrl": server.url})) as client:
        last = list(client.stream(ASK))[-1]
    assert isinstance(last, Finished)
    assert last.result.text == "Hello"
    assert last.result.usage.tokens_in == 3


@pytest.mark.parametrize("frame", [lambda body: sse(body), lambda body: chunked(body, 9, whole=False)])
def test_a_word_is_out_before_the_next_one_is_in(frame: Callable[[bytes], bytes]) -> None:
    first = STREAM[: STREAM.index(b"\n\n") + 2]
    server = FakeServer([Reply(frame(first), after="hang")])
    with server, bind(entry("mlx", {"baseUrl": server.url})) as client:
        stream = client.stream(ASK)
        assert next(stream) == TextDelta("Hello")
        stream.close()  # type: ignore[attr-defined]


def test_every_transcript_has_its_meaning_beside_it() -> None:
    assert len(NAMES) >= 40
    for name in NAMES:
        expected = Case(name).expected
        assert expected["about"]
        assert ("result" in expected) != ("error" in expected) or expected["either"] is True
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == NAMES
