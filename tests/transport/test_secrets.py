"""Prompts, keys and header values never stand in an error, also where the server sends them back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from aldo.errors import AldoError
from aldo.transport import ChatRequest, ModelClient, TextDelta
from tests.support.bound import PROMPT, SECRET, Pieces, Wire, bind, entry

KEY = "sk-live-0123456789abcdefABCDEF"
HEADER = "tenant-secret-9876543210"
ENVIRON = {"ACME_KEY": KEY}
CONFIG = {"baseUrl": "http://x", "apiKeyEnv": "ACME_KEY", "headers": {"X-Tenant": HEADER}}
WINDOW = 8
"""So many characters of a secret in a row are a leak."""


def plain(client: ModelClient) -> Any:
    return client.chat(SECRET)


def streamed(client: ModelClient) -> Any:
    return list(client.stream(SECRET))


WAYS = [pytest.param(plain, id="plain"), pytest.param(streamed, id="streamed")]


def leaks(error: AldoError) -> list[str]:
    """The pieces of a secret that an error tells, as they are or escaped as JSON or by `repr`."""
    told = " ".join([str(error), repr(error), json.dumps(error.to_dict(), ensure_ascii=False)])
    told = told.replace("\\\\", "\\").replace('\\"', '"').replace("\\n", "\n") + told
    secrets = (PROMPT, KEY, HEADER)
    pieces = [secret[i : i + WINDOW] for secret in secrets for i in range(len(secret) - WINDOW + 1)]
    escaped = [json.dumps(piece)[1:-1] for piece in pieces]
    return [piece for piece in (*pieces, *escaped) if piece in told]


def failing(way: Callable[[ModelClient], Any], answer: Callable[[httpx.Request], httpx.Response]) -> AldoError:
    wire = Wire(answer)
    with bind(entry(config=CONFIG), environ=ENVIRON, http=wire) as client, pytest.raises(AldoError) as caught:
        way(client)
    assert PROMPT in json.loads(wire.requests[0].content)["messages"][0]["content"]  # the server did see it
    assert KEY in wire.requests[0].headers["authorization"]
    return caught.value


def stream_of(*frames: str) -> httpx.Response:
    body = "".join(f"data: {frame}\n\n" for frame in frames).encode()
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body)


ECHO = f"cannot serve {PROMPT!s} for {KEY} of {HEADER}"
ANSWER = json.dumps({"choices": [{"index": 0, "delta": {"content": "a"}}]})
CALL = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"q": ' + PROMPT}}
BAD_CALL = json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}, "finish_reason": "tool_calls"}]})
ECHOES: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    "400, an object": lambda request: httpx.Response(
        400, json={"error": {"message": ECHO, "type": ECHO, "code": ECHO}}
    ),
    "400, a text": lambda request: httpx.Response(400, json={"error": ECHO}),
    "400, another shape": lambda request: httpx.Response(400, json={"detail": [{"msg": ECHO, "input": ECHO}]}),
    "400, plain": lambda request: httpx.Response(400, text=ECHO),
    "400, escaped as ASCII": lambda request: httpx.Response(400, content=json.dumps(ECHO).encode()),
    "400, a part of the prompt": lambda request: httpx.Response(400, json={"error": f"input_value='{PROMPT[:24]}...'"}),
    "400, cut in the middle by length": lambda request: httpx.Response(400, json={"error": "x" * 270 + ECHO}),
    "400, the request itself": lambda request: httpx.Response(400, content=request.content),
    "400, context": lambda request: httpx.Response(400, json={"error": "maximum context length, by " + ECHO}),
    "401, the key": lambda request: httpx.Response(401, json={"error": {"message": f"Incorrect API key {KEY}"}}),
    "401, a part of the key": lambda request: httpx.Response(401, json={"error": f"Incorrect API key {KEY[:20]}***"}),
    "401, the header": lambda request: httpx.Response(401, text=request.headers["authorization"]),
    "404, the model": lambda request: httpx.Response(404, json={"error": {"message": f"model not found: {ECHO}"}}),
    "429": lambda request: httpx.Response(429, json={"error": ECHO}, headers={"retry-after": "3"}),
    "500, a page": lambda request: httpx.Response(500, text=f"<html><pre>{ECHO}</pre></html>"),
    "503, loading": lambda request: httpx.Response(503, json={"error": {"message": f"Loading model {ECHO}"}}),
    "302": lambda request: httpx.Response(302, headers={"location": f"http://y/?key={KEY}"}, text=ECHO),
    "200, an error": lambda request: httpx.Response(200, json={"error": {"message": ECHO}}),
    "200, a page": lambda request: httpx.Response(200, text=f"<html>{ECHO}", headers={"content-type": "text/html"}),
    "200, no JSON": lambda request: httpx.Response(200, text=ECHO, headers={"content-type": "application/json"}),
    "200, JSON of another kind": lambda request: httpx.Response(200, json=[ECHO]),
    "200, a frame with an error": lambda request: stream_of(ANSWER, json.dumps({"error": ECHO})),
    "200, a frame that is no JSON": lambda request: stream_of(ANSWER, ECHO.replace("\n", " ")),
    "200, a frame that is the prompt": lambda request: stream_of(ANSWER, json.dumps(PROMPT)),
    "200, arguments that cannot be read": lambda request: stream_of(BAD_CALL),
    "200, cut": lambda request: stream_of(json.dumps({"choices": [{"delta": {"content": ECHO}}]})),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES.keys())
def test_what_the_server_sends_back_is_not_told(
    echo: Callable[[httpx.Request], httpx.Response], way: Callable[[ModelClient], Any]
) -> None:
    assert leaks(failing(way, echo)) == []


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ReadTimeout, httpx.LocalProtocolError, httpx.InvalidURL])
@pytest.mark.parametrize("way", WAYS)
def test_what_the_network_library_says_is_not_told(kind: Any, way: Callable[[ModelClient], Any]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise kind(f"Illegal header value b'Bearer {KEY}' or b'{HEADER}'")  # as h11 has it

    assert leaks(failing(way, fail)) == []


def test_what_it_says_in_mid_stream_is_not_told_either() -> None:
    pieces = Pieces([f"data: {ANSWER}\n\n".encode()], httpx.ReadError(f"b'Bearer {KEY}'"))
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=pieces)
    assert leaks(failing(streamed, lambda request: response)) == []


@pytest.mark.parametrize("key", [KEY + "\n", KEY + "\r\nX-Evil: 1", "ключ-" + KEY, KEY + "\x00"], ids=ascii)
def test_a_key_that_fits_no_header_is_our_error_and_is_not_told(key: str) -> None:
    """A key read from a file ends in a newline more often than not."""
    model = entry("mlx", CONFIG | {"baseUrl": "http://127.0.0.1:9"})  # a real connection: h11 is who refuses
    with pytest.raises(AldoError) as caught, bind(model, environ={"ACME_KEY": key}) as client:
        client.chat(SECRET)
    assert leaks(caught.value) == []


def test_a_password_in_a_base_url_is_not_told() -> None:
    model = entry("mlx", {"baseUrl": f"http://user:{KEY}@127.0.0.1:9"})
    with pytest.raises(AldoError) as caught, bind(model) as client:
        client.chat(SECRET)
    assert leaks(caught.value) == []


@pytest.mark.parametrize("content", [PROMPT, [{"type": "text", "text": PROMPT}]], ids=["text", "parts"])
def test_an_answer_may_repeat_the_prompt_and_stays_as_it_is(content: Any) -> None:
    """Only errors keep silent: what the model says is the caller's."""
    request = ChatRequest(messages=({"role": "user", "content": content},))
    message = {"role": "assistant", "content": ECHO}
    whole = {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}]}
    frame = {"model": "m", "choices": [{"delta": message, "finish_reason": "stop"}]}

    def answer(sent: httpx.Request) -> httpx.Response:
        streaming = json.loads(sent.content).get("stream")
        return stream_of(json.dumps(frame)) if streaming else httpx.Response(200, json=whole)

    with bind(entry(config=CONFIG), environ=ENVIRON, http=Wire(answer)) as client:
        assert client.chat(request).text == ECHO
        assert [event.text for event in client.stream(request) if isinstance(event, TextDelta)] == [ECHO]


CALL_BEFORE = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
TALK = (
    {"role": "user", "content": PROMPT},
    {"role": "assistant", "content": None, "tool_calls": [CALL_BEFORE]},
    {"role": "tool", "tool_call_id": "call_1", "content": "it is raining"},
)


def test_the_words_of_the_protocol_are_no_secrets() -> None:
    """Withholding role names and the like would hide what the server complains about."""
    complaint = "Conversation roles must alternate user/assistant; a message of type function is not allowed"
    wire = Wire(lambda sent: httpx.Response(400, json={"error": {"message": complaint}}))
    with bind(entry(config=CONFIG), environ=ENVIRON, http=wire) as client, pytest.raises(AldoError) as caught:
        client.chat(ChatRequest(messages=TALK))
    assert complaint in str(caught.value)


@pytest.mark.parametrize("prompt", ["context length", '"message": "', '{"error": {"message": "', 'n_ctx": 512'])
def test_keeping_silent_does_not_change_which_error_it_is(prompt: str) -> None:
    """What is withheld from the message is still there to be understood."""
    body = {"error": {"message": "This model's maximum context length is 512 tokens.", "n_ctx": 512}}
    wire = Wire(lambda sent: httpx.Response(400, json=body))
    request = ChatRequest(messages=({"role": "user", "content": prompt},))
    with bind(entry(config=CONFIG), environ=ENVIRON, http=wire) as client, pytest.raises(AldoError) as caught:
        client.chat(request)
    assert caught.value.code == "context_exceeded"


def test_a_prompt_in_parts_is_not_told() -> None:
    request = ChatRequest(messages=({"role": "user", "content": [{"type": "text", "text": PROMPT}]},))
    wire = Wire(lambda sent: httpx.Response(400, json={"error": ECHO}))
    with bind(entry(config=CONFIG), environ=ENVIRON, http=wire) as client, pytest.raises(AldoError) as caught:
        client.chat(request)
    assert leaks(caught.value) == []
