"""A streamed answer: one form of chunks, whatever the server sent, and how it ends."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.running import Gateway, events_of, sse, text_of
from tests.api.upstream import (
    CLOSE,
    CUT,
    DONE,
    STREAM_END,
    STREAM_HEAD,
    USAGE,
    Gate,
    Upstream,
    answering,
    chunk,
    delta,
    event,
    http,
    saying,
    stream,
)

FINISHES = {"stop", "length", "tool_calls", "content_filter"}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
WANTED = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
ANY_OBJECT = {"type": "json_object"}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def streamed(gateway: Gateway, **body: Any) -> list[Any]:
    answer = gateway.chat(stream=True, **body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return sse(answer)


def check_whole(events: list[Any], name: str = "near") -> list[Any]:
    """The laws of every stream that ends well. Gives its chunks."""
    assert events[-1] == "[DONE]"
    assert events.count("[DONE]") == 1
    chunks = events[:-1]
    assert {one["object"] for one in chunks} == {"chat.completion.chunk"}
    assert {one["model"] for one in chunks} == {name}
    assert len({one["id"] for one in chunks}) == 1
    choices = [choice for one in chunks for choice in one["choices"]]
    assert choices[0]["delta"]["role"] == "assistant"
    assert all("role" not in choice["delta"] for choice in choices[1:])
    finishes = [choice["finish_reason"] for choice in choices]
    assert finishes[-1] in FINISHES
    assert finishes[:-1] == [None] * (len(finishes) - 1)
    assert {choice["index"] for choice in choices} == {0}
    return chunks


def test_a_stream_is_a_role_pieces_a_finish_reason_and_done(gateway: Gateway, server: Upstream) -> None:
    events = streamed(gateway)
    chunks = check_whole(events)
    assert text_of(events) == "Hello there"
    assert len(chunks) > 4
    assert all("usage" not in one for one in chunks)


def test_the_headers_of_a_stream_are_those_of_a_whole_answer(gateway: Gateway, server: Upstream) -> None:
    names = ("x-aldo-model", "x-aldo-class", "x-aldo-routing-digest")
    whole, streamed_ = gateway.chat().headers, gateway.chat(stream=True).headers
    assert [whole[name] for name in names] == [streamed_[name] for name in names]


@pytest.mark.parametrize("counted", [True, False])
def test_usage_comes_last_and_only_where_it_was_asked_for(counted: bool, gateway: Gateway, server: Upstream) -> None:
    server.script = answering(*stream(delta(content="Hi"), delta("stop"), usage=counted))
    chunks = check_whole(streamed(gateway, stream_options={"include_usage": True}))
    assert chunks[-1]["choices"] == []
    tokens = (3, 2, 5) if counted else (0, 0, 0)
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    assert tuple(chunks[-1]["usage"][name] for name in names) == tokens
    assert all(one["usage"] is None for one in chunks[:-1])
    for options in (None, {}, {"include_usage": False}, {"include_usage": None}):
        plain = check_whole(streamed(gateway, stream_options=options))
        assert all("usage" not in one for one in plain)
        assert all(one["choices"] for one in plain)


def test_the_openai_sdk_reads_it(gateway: Gateway, server: Upstream) -> None:
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key="any", max_retries=0, default_headers={"X-Aldo-Privacy": "public"}
    ) as sdk:
        chunks = list(
            sdk.chat.completions.create(
                model="near",
                messages=[{"role": "user", "content": "hi"}],
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hello there"
        assert chunks[-1].usage is not None
        server.script = CUT
        with pytest.raises(openai.APIError) as caught:
            list(sdk.chat.completions.create(model="near", messages=[{"role": "user", "content": "hi"}], stream=True))
        assert caught.value.code == "stream_cut"


def test_a_piece_is_handed_on_before_the_next_one_is_there(gateway: Gateway, server: Upstream) -> None:
    gate = Gate()
    server.script = answering(
        STREAM_HEAD, delta(content="first"), gate, delta(content="second"), delta("stop"), DONE, STREAM_END
    )
    body = {"model": "near", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    with gateway.http.stream("POST", "/v1/chat/completions", json=body, headers={"x-aldo-privacy": "public"}) as answer:
        pieces = answer.iter_text()
        text = ""
        while "first" not in text:
            text += next(pieces)
        assert "second" not in text
        gate.open()
        text += "".join(pieces)
    assert text_of(check_whole(events_of(text))) == "firstsecond"


def test_tool_calls_come_whole_however_they_were_cut(gateway: Gateway, server: Upstream) -> None:
    def call(place: int, **function: str) -> bytes:
        head = {"index": place, "function": function}
        return delta(tool_calls=[head | ({"id": f"c{place}", "type": "function"} if "name" in function else {})])

    server.script = answering(
        *stream(
            call(0, name="look", arguments=""),
            call(0, arguments='{"at": "кро'),
            call(0, arguments='кодил"}'),
            call(1, name="walk", arguments="{}"),
            delta("tool_calls"),
        )
    )
    chunks = check_whole(streamed(gateway, tools=[TOOL]))
    calls = [c for one in chunks for choice in one["choices"] for c in choice["delta"].get("tool_calls", ())]
    assert [(c["index"], c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls] == [
        (0, "look", {"at": "крокодил"}),
        (1, "walk", {}),
    ]
    assert all(c["id"] and c["type"] == "function" for c in calls)
    assert len({c["id"] for c in calls}) == 2
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_reasoning_streams_beside_the_answer(gateway: Gateway, server: Upstream) -> None:
    server.script = answering(*stream(delta(reasoning_content="hm"), delta(content="42"), delta("stop")))
    events = streamed(gateway)
    chunks = check_whole(events)
    reasoning = "".join(c["delta"].get("reasoning_content", "") for one in chunks for c in one["choices"])
    assert (reasoning, text_of(events)) == ("hm", "42")


@pytest.mark.parametrize("said", ["stop", "length", "content_filter", "eos", "end_turn", "x"])
def test_the_last_chunk_says_one_of_openais_reasons(said: str, gateway: Gateway, server: Upstream) -> None:
    server.script = saying("Hello", said)
    found = check_whole(streamed(gateway))[-1]["choices"][0]["finish_reason"]
    assert said not in FINISHES or found == said


def test_a_server_that_answers_a_stream_with_a_whole_answer_is_streamed_or_refused(
    gateway: Gateway, server: Upstream
) -> None:
    server.script = lambda asked: saying("Hello")(type(asked)(asked.method, asked.target, asked.headers, b"{}"))
    answer = gateway.chat(stream=True)
    if answer.status_code == 200:
        assert text_of(check_whole(sse(answer))) == "Hello"
    else:
        assert answer.json()["error"]["code"] == "protocol"


def test_an_empty_answer_is_a_whole_stream(gateway: Gateway, server: Upstream) -> None:
    server.script = answering(*stream(delta(role="assistant"), delta("stop")))
    events = streamed(gateway)
    check_whole(events)
    assert text_of(events) == ""


ENDINGS = {
    "no closing chunk": [STREAM_HEAD, delta(content="Hel"), CLOSE],
    "a closing chunk": [STREAM_HEAD, delta(content="Hel"), STREAM_END],
    "done without a reason": [STREAM_HEAD, delta(content="Hel"), DONE, STREAM_END],
    "an error event": [STREAM_HEAD, delta(content="Hel"), event({"error": {"message": "out of memory"}}), STREAM_END],
    "no JSON": [STREAM_HEAD, delta(content="Hel"), chunk(b"data: {nonsense\n\n"), STREAM_END],
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_after_the_first_piece_an_error_event_ends_the_stream_without_done(
    ending: str, gateway: Gateway, server: Upstream
) -> None:
    server.script = answering(*ENDINGS[ending])
    answer = gateway.chat(stream=True, stream_options={"include_usage": True})
    events = sse(answer)
    assert answer.status_code == 200
    assert text_of(events) == "Hel"
    assert "[DONE]" not in events
    error = events[-1]["error"]
    assert error["code"] in ("stream_cut", "protocol", "server_error")
    assert set(error) >= {"message", "type", "param", "code"}
    assert not any("error" in one for one in events[:-1])
    assert all(choice["finish_reason"] is None for one in events[:-1] for choice in one["choices"])


@pytest.mark.parametrize("steps", [[STREAM_HEAD, CLOSE], [STREAM_HEAD, STREAM_END], [STREAM_HEAD, DONE, STREAM_END]])
def test_before_the_first_piece_an_error_has_a_status_of_its_own(
    steps: Any, gateway: Gateway, server: Upstream
) -> None:
    server.script = answering(*steps)
    answer = gateway.chat(stream=True)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "stream_cut")


@pytest.mark.parametrize("text", ['{"n": "5"}', "five", "[1]", '```json\n{"n": 5', "```json\n```"])
def test_a_streamed_answer_is_held_against_its_schema_too(text: str, gateway: Gateway, server: Upstream) -> None:
    server.script = saying(text)
    events = streamed(gateway, response_format=WANTED)
    assert "[DONE]" not in events
    assert events[-1]["error"]["code"] == "schema_mismatch"
    assert all(choice["finish_reason"] is None for one in events[:-1] for choice in one["choices"])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text('a`\n{}" \\', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab`", max_size=3), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text("ab`", max_size=4), VALUES, max_size=3)
OPENERS = st.sampled_from(["", "\n ", "```json\n", "```\n", " ```JSON \n", "```json\r\n\n", "\n\n```json  \n"])


@given(
    value=OBJECTS,
    opener=OPENERS,
    before=st.sampled_from(["", "\n", "\n\n "]),
    after=st.sampled_from(["", "\n", " \n"]),
    seed=st.integers(0, 999),
)
@settings(max_examples=150)
def test_streamed_json_is_unfenced_wherever_it_is_cut(
    value: Any, opener: str, before: str, after: str, seed: int, shared_gateway: Gateway, shared_server: Upstream
) -> None:
    """And says what the whole answer says."""
    body = json.dumps(value, indent=2 if seed % 2 else None)
    text = opener + body + before + ("```" if "```" in opener else "") + after
    choose = random.Random(seed)
    cuts = sorted(choose.sample(range(len(text) + 1), min(len(text), choose.randint(0, 12))))
    edges = [0, *cuts, len(text)]
    pieces = [text[a:b] for a, b in pairwise(edges) if a < b]
    shared_server.script = answering(*stream(*(delta(content=piece) for piece in pieces), delta("stop")))
    events = streamed(shared_gateway, response_format=ANY_OBJECT)
    check_whole(events)
    assert json.loads(text_of(events)) == value
    assert "```json" not in text_of(events).partition("{")[0]


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(None, id="nothing"),
        pytest.param(
            {"type": "text"},
            id="text",
        ),
    ],
)
def test_a_streamed_fence_stays_where_no_json_was_asked_for(wanted: Any, gateway: Gateway, server: Upstream) -> None:
    server.script = saying("```\ncode\n```\n")
    assert text_of(streamed(gateway, response_format=wanted)) == "```\ncode\n```\n"


def test_a_stream_and_a_whole_answer_say_the_same(gateway: Gateway, server: Upstream) -> None:
    text = 'Zebra "7"\n\n\t💡 крокодил \\u0041 data: [DONE]\r\n\r\n \u2028\u0085 end'
    server.script = saying(text)
    assert gateway.chat().json()["choices"][0]["message"]["content"] == text
    assert text_of(streamed(gateway)) == text


def test_a_stream_by_default_is_none(gateway: Gateway, server: Upstream) -> None:
    for said in (False, None):
        assert gateway.chat(stream=said).headers["content-type"] == "application/json"
    assert not any(asked.json.get("stream") for asked in server.asked)


def test_comments_and_foreign_events_of_a_server_are_not_handed_on(gateway: Gateway, server: Upstream) -> None:
    noise = chunk(b": keepalive\n\nevent: ping\ndata: {}\n\nid: 5\nretry: 10\n\n")
    server.script = answering(STREAM_HEAD, noise, delta(content="Hi"), noise, delta("stop"), USAGE, DONE, STREAM_END)
    answer = gateway.chat(stream=True)
    assert "keepalive" not in answer.text
    assert text_of(check_whole(sse(answer))) == "Hi"


def test_html_instead_of_a_stream_is_no_stream(gateway: Gateway, server: Upstream) -> None:
    server.script = answering(*http("<html>hello</html>", content_type="text/html"))
    answer = gateway.chat(stream=True)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "protocol")
