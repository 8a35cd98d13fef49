"""A whole answer: OpenAI's shape, whatever the server made of it, and what was sent to get it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from tests.api.running import Gateway, House, model
from tests.api.upstream import Upstream, answering, completion, http, saying

FINISHES = {"stop", "length", "tool_calls", "content_filter"}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
WANTED = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CALL = {"id": "call-1", "type": "function", "function": {"name": "look", "arguments": '{"at": "крокодил"}'}}


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key="any", max_retries=0, default_headers={"X-Aldo-Privacy": "public"}
    ) as client:
        yield client


def test_an_answer_is_a_completion_of_the_catalog_id(gateway: Gateway, server: Upstream) -> None:
    said = gateway.chat().json()
    assert (said["object"], said["model"]) == ("chat.completion", "near")
    (choice,) = said["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Hello there", "refusal": None}
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    assert said["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert said["id"] != gateway.chat().json()["id"]


def test_the_openai_sdk_reads_it(sdk: openai.OpenAI, server: Upstream) -> None:
    found = sdk.chat.completions.create(model="fast-draft", messages=[{"role": "user", "content": "hi"}])
    assert (found.choices[0].message.content, found.model) == ("Hello there", "near")
    assert found.usage is not None
    assert found.usage.total_tokens == 5


def test_the_wire_has_the_entrys_own_name_and_the_messages_as_they_were(house: House) -> None:
    server = house.upstream()
    gateway = house.gateway(model("near", server.url, config={"model": "acme/big-1"}))
    said = [{"role": "system", "content": "Ω"}, {"role": "user", "content": [{"type": "text", "text": "крокодил"}]}]
    assert gateway.chat(messages=said).json()["model"] == "near"
    (asked,) = server.asked
    assert asked.target == "/v1/chat/completions"
    assert (asked.json["model"], asked.json["messages"]) == ("acme/big-1", said)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.25),
        ("top_p", 0.5),
        ("seed", 7),
        ("frequency_penalty", 0.5),
        ("presence_penalty", -0.5),
        ("top_k", 3),
        ("min_p", 0.1),
        ("logit_bias", {"5": -100.0}),
    ],
)
def test_what_a_client_says_of_sampling_reaches_the_server(
    name: str, value: Any, gateway: Gateway, server: Upstream
) -> None:
    assert gateway.chat(**{name: value}).status_code == 200
    assert server.asked[0].json[name] == value


def test_stop_is_a_text_or_a_list(gateway: Gateway, server: Upstream) -> None:
    gateway.chat(stop="END")
    gateway.chat(stop=["a", "b"])
    assert [asked.json["stop"] for asked in server.asked] == [["END"], ["a", "b"]]


def test_a_tool_call_comes_whole_and_its_arguments_are_text(gateway: Gateway, server: Upstream) -> None:
    server.script = answering(*http(completion(None, "tool_calls", tool_calls=[CALL])))
    (choice,) = gateway.chat(tools=[TOOL]).json()["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert (call["type"], call["function"]["name"]) == ("function", "look")
    assert json.loads(call["function"]["arguments"]) == {"at": "крокодил"}
    assert (choice["message"]["content"], choice["finish_reason"]) == (None, "tool_calls")
    assert server.asked[0].json["tools"] == [TOOL]


@pytest.mark.parametrize("said", ["stop", "length", "content_filter", "eos", "end_turn", "STOP", "abort"])
def test_a_finish_reason_is_one_of_openais(said: str, gateway: Gateway, server: Upstream) -> None:
    server.script = saying("Hello", said)
    found = gateway.chat().json()["choices"][0]["finish_reason"]
    assert found in FINISHES
    assert said not in FINISHES or found == said


def test_reasoning_is_told_beside_the_answer(gateway: Gateway, server: Upstream) -> None:
    server.script = answering(*http(completion("42", reasoning_content="hm")))
    message = gateway.chat().json()["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("42", "hm")


def test_a_server_that_counts_nothing_still_gives_numbers(gateway: Gateway, server: Upstream) -> None:
    body = completion()
    del body["usage"]
    server.script = answering(*http(body))
    assert gateway.chat().json()["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


FENCES: list[Callable[[str], str]] = [
    lambda text: text,
    lambda text: f"```json\n{text}\n```",
    lambda text: f"```\n{text}\n```",
    lambda text: f"\n ```JSON \n{text}```\n",
]


@pytest.mark.parametrize("fence", FENCES)
@pytest.mark.parametrize("wanted", [WANTED, {"type": "json_object"}], ids=["schema", "object"])
def test_json_that_was_asked_for_comes_without_a_fence(
    wanted: Any, fence: Callable[[str], str], gateway: Gateway, server: Upstream
) -> None:
    server.script = saying(fence('{"n": 5}'))
    content = gateway.chat(response_format=wanted).json()["choices"][0]["message"]["content"]
    assert json.loads(content) == {"n": 5}


FENCED = "```\ncode\n```\n"


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
def test_a_fence_stays_where_no_json_was_asked_for(wanted: Any, gateway: Gateway, server: Upstream) -> None:
    server.script = saying(FENCED)
    answer = gateway.chat(response_format=wanted)
    assert answer.json()["choices"][0]["message"]["content"] == FENCED


@pytest.mark.parametrize(
    "text", ['{"n": "5"}', '{"n": 5, "m": 1}', "five", "", "[5]", '{"n": 5} and more', '{"n": NaN}']
)
def test_an_answer_that_does_not_fit_its_schema_is_no_success(text: str, gateway: Gateway, server: Upstream) -> None:
    server.script = saying(text)
    answer = gateway.chat(response_format=WANTED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "schema_mismatch")
    if text:
        assert text not in answer.text


@pytest.mark.parametrize("schema", [{"type": "objekt"}, {"$ref": "http://127.0.0.1:1/x"}, {"$ref": "#/$defs/none"}, 5])
def test_a_schema_that_is_none_is_the_clients_fault(schema: Any, gateway: Gateway, server: Upstream) -> None:
    server.script = saying('{"n": 5}')
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert gateway.chat(response_format=wanted).status_code == 400


def test_a_refusal_is_told_as_one(gateway: Gateway, server: Upstream) -> None:
    server.script = answering(*http(completion(None, refusal="I will not")))
    message = gateway.chat().json()["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "I will not")


def test_a_lone_surrogate_breaks_nothing(gateway: Gateway, server: Upstream) -> None:
    raw = b'{"model": "near", "messages": [{"role": "user", "content": "\\ud83d"}]}'
    headers = {"content-type": "application/json", "x-aldo-privacy": "public"}
    assert gateway.http.post("/v1/chat/completions", content=raw, headers=headers).status_code in (200, 400)
    body = json.dumps(completion("@")).replace("@", "\\ud83d")
    server.script = answering(*http(body))
    answer = gateway.chat()
    assert answer.status_code in (200, 502)
    json.loads(answer.content)


def test_a_model_of_the_class_embeddings_does_not_chat(house: House) -> None:
    server = house.upstream()
    gateway = house.gateway(model("vec", server.url, capabilityClass="embeddings", provides=["embeddings"]))
    for name in ("vec", "embeddings"):
        answer = gateway.chat(name)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert server.asked == []
