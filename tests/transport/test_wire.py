"""What goes over the wire: the exact JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from aldo.errors import AldoError
from aldo.transport import ChatRequest, Finished, json_schema_format
from tests.support.bound import ASK, COMPLETION, USER, Wire, bind, entry

PLAIN = {"messages": [USER], "max_tokens": 8, "temperature": 1.0, "top_p": 1.0, "seed": 1}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
MLX_EXTRA = {
    "quantization": "q4",
    "kvCacheQuantized": True,
    "samplerSeed": 7,
    "draftModel": "tiny",
    "numDraftTokens": 3,
}


def nulls(value: Any, path: str = "") -> Iterator[str]:
    """Where a null stands."""
    if value is None:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from nulls(item, f"{path}/{key}")


def says(text: str) -> Callable[[httpx.Request], httpx.Response]:
    """A server that answers every plain chat with this."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return lambda _: httpx.Response(200, json={**COMPLETION, "choices": [choice]})


def sent(
    model: Mapping[str, Any], request: ChatRequest = ASK, *, stream: bool = False, answer: str | None = None
) -> dict[str, Any]:
    """The body of one chat. `stream: false` is as good as none."""
    wire = Wire(None if answer is None else says(answer))
    with bind(model, http=wire) as client:
        if stream:
            assert isinstance(list(client.stream(request))[-1], Finished)
        else:
            client.chat(request)
    (body,) = wire.bodies
    assert not list(nulls(body))
    if not stream:
        assert body.pop("stream", False) is False
    assert isinstance(body, dict)
    return body


NAMES = [
    ("mlx", {}, "default_model"),
    ("mlx", {"extra": MLX_EXTRA}, "default_model"),
    ("mlx", {"model": "org/name"}, "org/name"),
    ("openai-compat", {}, "the-entry"),
    ("openai-compat", {"model": "qwen3:8b"}, "qwen3:8b"),
]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("kind", "config", "name"), NAMES)
def test_the_model_name_on_the_wire(kind: str, config: dict[str, Any], name: str, stream: bool) -> None:
    model = entry(kind, {"baseUrl": "http://x", **config})
    assert sent(model, stream=stream)["model"] == name
    with bind(model, http=Wire()) as client:
        result = client.chat(ASK)
    assert (result.model, result.upstream_model, result.returned_model) == ("the-entry", name, "served")


@pytest.mark.parametrize("kind", ["mlx", "openai-compat"])
def test_a_plain_chat_is_exactly_this(kind: str) -> None:
    name = "default_model" if kind == "mlx" else "the-entry"
    assert sent(entry(kind, {"baseUrl": "http://x"})) == {"model": name, **PLAIN}


@pytest.mark.parametrize("kind", ["mlx", "openai-compat"])
def test_a_streamed_chat_differs_only_in_saying_so_and_asking_for_usage(kind: str) -> None:
    model = entry(kind, {"baseUrl": "http://x"})
    streaming = {"stream": True, "stream_options": {"include_usage": True}}
    assert sent(model, stream=True) == sent(model) | streaming
    assert "stream_options" not in sent(model)


def test_every_field_of_a_request_arrives_under_its_wire_name() -> None:
    schema = json_schema_format({"type": "string"}, "s")  # the answer of the wire, "Hello", is a JSON text
    request = ChatRequest(
        messages=({"role": "system", "content": "be brief"}, USER), max_tokens=3, temperature=0.25, top_p=0.5, seed=9,
        stop=("END", "\n"), tools=(TOOL,), tool_choice="auto", response_format=schema,
    )  # fmt: skip
    assert sent(entry("openai-compat", {"baseUrl": "http://x"}), request, answer='"Hello"') == {
        "model": "the-entry", "messages": [{"role": "system", "content": "be brief"}, USER], "max_tokens": 3,
        "temperature": 0.25, "top_p": 0.5, "seed": 9, "stop": ["END", "\n"], "tools": [TOOL], "tool_choice": "auto",
        "response_format": schema,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["mlx", "openai-compat"])
def test_what_a_request_does_not_say_is_absent_and_never_null(kind: str) -> None:
    request = ChatRequest(messages=(USER,))
    body = sent(entry(kind, {"baseUrl": "http://x"}), request)
    assert set(body) == {"model", "messages", "max_tokens", "temperature", "top_p"}
    assert body["max_tokens"] == 1024


@pytest.mark.parametrize("kind", ["mlx", "openai-compat"])
def test_a_null_content_of_a_message_is_not_sent_as_null(kind: str) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = (USER, {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "content": "1"})
    body = sent(entry(kind, {"baseUrl": "http://x"}), ChatRequest(messages=messages))
    assert body["messages"][1]["tool_calls"] == [call]


@pytest.mark.parametrize("kind", ["mlx", "openai-compat"])
def test_a_null_knob_is_not_sent_as_null(kind: str) -> None:
    sent(entry(kind, {"baseUrl": "http://x", "extra": {"samplerSeed": None, "seed": None, "draftModel": None}}))


@pytest.mark.parametrize("kind", ["mlx", "openai-compat"])
@pytest.mark.parametrize("value", [0, 1])
def test_sampling_is_sent_as_floats_even_where_whole(kind: str, value: int) -> None:
    body = sent(entry(kind, {"baseUrl": "http://x"}), replace(ASK, temperature=value, top_p=value))
    assert [type(body[name]) for name in ("temperature", "top_p", "max_tokens")] == [float, float, int]
    assert (body["temperature"], body["top_p"]) == (value, value)


def test_an_mlx_entrys_knobs_travel_under_the_servers_names() -> None:
    extra = MLX_EXTRA | {"adapters": "a", "topK": 4, "minP": 0.1, "repetitionPenalty": 1.1}
    extra |= {"chatTemplateKwargs": {"enable_thinking": False}}
    body = sent(entry("mlx", {"baseUrl": "http://x", "extra": extra}), replace(ASK, seed=None))
    expected = {"seed": 7, "draft_model": "tiny", "num_draft_tokens": 3, "adapters": "a", "top_k": 4, "min_p": 0.1}
    expected |= {"repetition_penalty": 1.1, "chat_template_kwargs": {"enable_thinking": False}}
    assert body == {"model": "default_model", **PLAIN, **expected}


@pytest.mark.parametrize("seed", [5, 0])
def test_a_requests_seed_goes_before_the_entrys(seed: int) -> None:
    model = entry("mlx", {"baseUrl": "http://x", "extra": {"samplerSeed": 7}})
    assert sent(model, replace(ASK, seed=seed))["seed"] == seed
    assert sent(model, replace(ASK, seed=None))["seed"] == 7


def test_a_seed_of_zero_is_a_seed() -> None:
    model = entry("mlx", {"baseUrl": "http://x", "extra": {"samplerSeed": 0}})
    assert sent(model, replace(ASK, seed=None))["seed"] == 0


@pytest.mark.parametrize("kind", ["mlx", "openai-compat"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_how_a_server_was_launched_is_never_sent(kind: str, stream: bool) -> None:
    model = entry(kind, {"baseUrl": "http://x", "extra": {"quantization": "q4", "kvCacheQuantized": True}})
    body = sent(model, stream=stream)
    assert body == sent(entry(kind, {"baseUrl": "http://x"}), stream=stream)
    assert not {"quantization", "kvCacheQuantized", "kv_cache_quantized", "kv_bits"} & set(body)


def test_an_openai_compat_entry_ignores_the_knobs_of_mlx() -> None:
    model = entry("openai-compat", {"baseUrl": "http://x", "extra": MLX_EXTRA})
    bare = {name: value for name, value in PLAIN.items() if name != "seed"}
    assert sent(model, replace(ASK, seed=None)) == {"model": "the-entry", **bare}


def test_a_result_names_the_fields_that_an_mlx_server_ignores() -> None:
    request = replace(ASK, response_format={"type": "json_object"}, tools=(TOOL,), tool_choice="auto")
    with bind(entry("mlx", {"baseUrl": "http://x"}), http=Wire(says("{}"))) as client:
        assert set(client.chat(request).ignored) == {"response_format", "tool_choice"}
        assert client.chat(replace(ASK, response_format=None)).ignored == ()
    with bind(entry("openai-compat", {"baseUrl": "http://x"}), http=Wire(says("{}"))) as client:
        assert client.chat(request).ignored == ()


def test_text_arrives_as_it_was_said() -> None:
    text = 'é🦓\u2028\x00 "q" \\ \r\n'
    assert sent(entry("mlx", {"baseUrl": "http://x"}), ChatRequest(messages=({"role": "user", "content": text},)))[
        "messages"
    ] == [{"role": "user", "content": text}]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_text_with_half_a_surrogate_pair_arrives_or_is_our_error(stream: bool) -> None:
    """Python has such text whenever a file name or a file was decoded with `surrogateescape`."""
    request = ChatRequest(messages=({"role": "user", "content": "a\udcff"},))
    with contextlib.suppress(AldoError):
        sent(entry("mlx", {"baseUrl": "http://x"}), request, stream=stream)
