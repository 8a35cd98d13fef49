"""The fake Ollama and the fake LM Studio behave as the facts table says the real ones do."""

from __future__ import annotations

import base64
import contextlib
import json
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jsonschema
import pytest

from tests.support.fake_runtimes import (
    OLLAMA_MODELS,
    FakeLmStudio,
    FakeOllama,
    Fault,
    LmStudioModel,
    LmStudioQuirks,
    OllamaModel,
    OllamaQuirks,
    instance,
)

Fake = FakeOllama | FakeLmStudio

HELLO = [{"role": "user", "content": "one two three"}]
WEATHER = [{"role": "user", "content": "the weather in Paris"}]
BOTH = [{"role": "user", "content": "the weather in Paris and in Rome"}]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city", "days"],
}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]
STREAM = {"stream": True, "stream_options": {"include_usage": True}}
CHAT = "/v1/chat/completions"
EMBED = "/v1/embeddings"
QWEN = "qwen3:4b"
LLAMA = "llama3.2"
NOMIC = "nomic-embed-text"
LM = "qwen3-4b"
LM_EMBED = "text-embedding-nomic-embed-text-v1.5"


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as fake:
        yield fake


@pytest.fixture
def studio() -> Iterator[FakeLmStudio]:
    with FakeLmStudio() as fake:
        yield fake


def chat(http: httpx.Client, fake: Fake, model: str, messages: Any = HELLO, **more: Any) -> httpx.Response:
    return http.post(fake.base_url + CHAT, json={"model": model, "messages": messages, **more})


def chunks(response: httpx.Response) -> list[dict[str, Any]]:
    """The JSON of the frames of a stream, without `[DONE]`."""
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["transfer-encoding"] == "chunked"
    data = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(text) for text in data if text != "[DONE]"]


def deltas(response: httpx.Response) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in chunks(response) if chunk.get("choices")]


def joined(response: httpx.Response, key: str = "content") -> str:
    return "".join(delta.get(key) or "" for delta in deltas(response))


def choice(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    (only,) = response.json()["choices"]
    return only


def finish_of(response: httpx.Response) -> str | None:
    return [chunk["choices"][0]["finish_reason"] for chunk in chunks(response) if chunk["choices"]][-1]


def usage(prompt: int, told: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": told, "total_tokens": prompt + told}


# Ollama


def test_ollama_lives_without_a_health_path(http: httpx.Client, ollama: FakeOllama) -> None:
    assert http.get(ollama.base_url).text == "Ollama is running"
    assert http.head(ollama.base_url).status_code == 200
    lost = http.get(ollama.base_url + "/health")
    assert (lost.status_code, lost.text) == (404, "404 page not found")
    assert http.get(ollama.base_url + "/api/version").json() == {"version": "0.12.6"}
    assert http.get(ollama.base_url + CHAT).status_code == 405
    assert http.post(ollama.base_url + "/api/chat", json={}).status_code == 501  # not played


def test_ollama_lists_what_it_has_and_what_is_loaded(http: httpx.Client, ollama: FakeOllama) -> None:
    tags = http.get(ollama.base_url + "/api/tags").json()["models"]
    assert [row["name"] for row in tags] == [model.tagged for model in OLLAMA_MODELS]
    assert {"name", "model", "modified_at", "size", "digest", "details"} == set(tags[0])
    details = tags[0]["details"]
    assert (details["family"], details["parameter_size"], details["quantization_level"]) == ("qwen3", "4.0B", "Q4_K_M")
    assert http.get(ollama.base_url + "/api/ps").json() == {"models": []}
    chat(http, ollama, LLAMA)
    (running,) = http.get(ollama.base_url + "/api/ps").json()["models"]
    assert (running["name"], running["context_length"]) == ("llama3.2:latest", 4096)
    assert running["size_vram"] and running["expires_at"]


def test_ollama_shows_a_model(http: httpx.Client, ollama: FakeOllama) -> None:
    shown = http.post(ollama.base_url + "/api/show", json={"model": QWEN}).json()
    assert shown["capabilities"] == ["completion", "tools", "thinking"]
    info = shown["model_info"]
    assert info["general.architecture"] == "qwen3"
    assert (info["qwen3.context_length"], info["qwen3.embedding_length"]) == (40960, 2560)
    lost = http.post(ollama.base_url + "/api/show", json={"model": "none"})
    assert (lost.status_code, lost.json()) == (404, {"error": "model 'none' not found"})


def test_ollama_of_old_shows_less(http: httpx.Client) -> None:
    quirks = OllamaQuirks(no_context_in_ps=True, no_capabilities_in_show=True)
    with FakeOllama([OllamaModel("phi", loaded=True)], "0.5.7", quirks) as fake:
        assert "capabilities" not in http.post(fake.base_url + "/api/show", json={"model": "phi"}).json()
        assert "context_length" not in http.get(fake.base_url + "/api/ps").json()["models"][0]


def test_ollamas_list_for_openai_clients(http: httpx.Client, ollama: FakeOllama) -> None:
    row = http.get(ollama.base_url + "/v1/models").json()["data"][1]
    assert (row["id"], row["object"], row["owned_by"]) == ("llama3.2:latest", "model", "library")
    assert http.get(ollama.base_url + "/v1/models/llama3.2").json()["id"] == "llama3.2"
    with FakeOllama([]) as empty:
        assert http.get(empty.base_url + "/v1/models").json() == {"object": "list", "data": None}


def test_ollama_does_not_know_a_model(http: httpx.Client, ollama: FakeOllama) -> None:
    error = {"message": "model 'none' not found", "type": "not_found_error", "param": None, "code": None}
    for answer in (chat(http, ollama, "none"), chat(http, ollama, "none", **STREAM)):
        assert (answer.status_code, answer.json()) == (404, {"error": error})


REFUSALS = [
    (NOMIC, {}, '"nomic-embed-text" does not support chat'),
    ("gemma3:4b", {"tools": TOOLS}, "registry.ollama.ai/library/gemma3:4b does not support tools"),
    (LLAMA, {"reasoning_effort": "high"}, '"llama3.2" does not support thinking'),
    (LLAMA, {"messages": []}, "[] is too short - 'messages'"),
    (LLAMA, {"messages": [{"role": "user", "content": None}]}, "invalid message content type: <nil>"),
]


@pytest.mark.parametrize(("model", "more", "message"), REFUSALS)
def test_ollama_refuses(http: httpx.Client, ollama: FakeOllama, model: str, more: dict[str, Any], message: str) -> None:
    answer = chat(http, ollama, model, **({"messages": HELLO} | more))
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


def test_ollama_answers(http: httpx.Client, ollama: FakeOllama) -> None:
    answer = chat(http, ollama, LLAMA)
    told = choice(answer)
    assert told["message"] == {"role": "assistant", "content": "You said 3 words."}
    assert told["finish_reason"] == "stop"
    assert answer.json()["usage"] == usage(4, 5)
    assert answer.json()["model"] == LLAMA
    assert ollama.bodies(CHAT) == [{"model": LLAMA, "messages": HELLO}]
    assert ollama.seen[0].headers["content-type"] == "application/json"


def test_ollama_streams_with_the_role_first_and_the_usage_last(http: httpx.Client, ollama: FakeOllama) -> None:
    answer = chat(http, ollama, LLAMA, **STREAM)
    assert joined(answer) == "You said 3 words."
    assert ["role" in delta for delta in deltas(answer)] == [True, False, False, False, False]
    assert finish_of(answer) == "stop"
    last = chunks(answer)[-1]
    assert (last["choices"], last["usage"]) == ([], usage(4, 5))
    assert answer.text.endswith("data: [DONE]\n\n")
    assert not any("usage" in chunk for chunk in chunks(chat(http, ollama, LLAMA, stream=True)))


def test_ollama_may_put_usage_and_role_on_every_chunk(http: httpx.Client) -> None:
    with FakeOllama(quirks=OllamaQuirks(usage_on_every_chunk=True, role_in_every_chunk=True)) as fake:
        answer = chat(http, fake, LLAMA, **STREAM)
    *before, last = (chunk["usage"]["total_tokens"] for chunk in chunks(answer))
    assert (set(before), last) == ({0}, 9)
    assert all("role" in delta for delta in deltas(answer))


def test_ollama_ids_collide_and_a_seed_changes_a_word(http: httpx.Client, ollama: FakeOllama) -> None:
    first, second, other = (chat(http, ollama, LLAMA, **more).json() for more in ({}, {}, {"seed": 7}))
    assert first["id"] == second["id"]
    assert first["choices"] != other["choices"]
    assert other == chat(http, ollama, LLAMA, seed=7).json()


def test_ollama_knows_max_tokens_and_stop_but_not_max_completion_tokens(http: httpx.Client, ollama: FakeOllama) -> None:
    short = choice(chat(http, ollama, LLAMA, max_tokens=2))
    assert (short["message"]["content"], short["finish_reason"]) == ("You said", "length")
    assert choice(chat(http, ollama, LLAMA, max_completion_tokens=2))["finish_reason"] == "stop"
    assert choice(chat(http, ollama, LLAMA, stop=[" 3"]))["message"]["content"] == "You said"


def test_ollama_thinks_first_and_spends_tokens_on_it(http: httpx.Client, ollama: FakeOllama) -> None:
    answer = chat(http, ollama, QWEN, **STREAM)
    kinds = ["reasoning" if "reasoning" in delta else "content" for delta in deltas(answer)[:-1]]
    assert kinds == sorted(kinds, reverse=True) and set(kinds) == {"reasoning", "content"}
    assert joined(answer, "reasoning") == "The user asks. You said 3 words."
    short = choice(chat(http, ollama, QWEN, max_tokens=3))
    assert (short["message"]["content"], short["finish_reason"]) == ("", "length")
    assert "reasoning" not in choice(chat(http, ollama, QWEN, reasoning_effort="none"))["message"]


def test_ollama_drops_old_messages_and_does_not_say(http: httpx.Client) -> None:
    old = [{"role": "user", "content": "x" * 400}, {"role": "assistant", "content": "y" * 400}]
    system = {"role": "system", "content": "z" * 40}
    with FakeOllama([OllamaModel("tiny", served=100)]) as fake:
        answer = chat(http, fake, "tiny", [system, *old, *HELLO]).json()
        assert answer["usage"]["prompt_tokens"] == 14  # system and last, of 214
        alone = chat(http, fake, "tiny", [{"role": "user", "content": "x" * 4000}]).json()
        assert alone["usage"]["prompt_tokens"] == 100


def test_ollama_calls_tools_whole(http: httpx.Client, ollama: FakeOllama) -> None:
    answer = chat(http, ollama, LLAMA, BOTH, tools=TOOLS, **STREAM)
    (calls,) = [delta["tool_calls"] for delta in deltas(answer) if "tool_calls" in delta]
    assert [call["index"] for call in calls] == [0, 1]
    assert len({call["id"] for call in calls}) == 2
    for call in calls:
        assert (call["type"], call["function"]["name"]) == ("function", "get_weather")
        assert json.loads(call["function"]["arguments"]) == {"city": "Paris", "days": 1}
    assert finish_of(answer) == "tool_calls"
    whole = choice(chat(http, ollama, LLAMA, BOTH, tools=TOOLS, parallel_tool_calls=False))
    assert (len(whole["message"]["tool_calls"]), whole["finish_reason"]) == (1, "tool_calls")


def test_a_call_that_does_not_fit_is_lost(http: httpx.Client, ollama: FakeOllama) -> None:
    answer = chat(http, ollama, LLAMA, WEATHER, tools=TOOLS, max_tokens=5)
    assert choice(answer) == {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "length"}
    assert answer.json()["usage"]["completion_tokens"] == 5


def test_a_model_answers_once_it_has_the_result_of_a_tool(http: httpx.Client, ollama: FakeOllama) -> None:
    history = [*WEATHER, {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}]
    assert choice(chat(http, ollama, LLAMA, history, tools=TOOLS))["finish_reason"] == "stop"


@pytest.mark.parametrize(("style", "indices"), [("missing", [None, None]), ("zero", [0, 0])])
def test_ollama_of_old_numbers_its_calls_badly(http: httpx.Client, style: Any, indices: list[int | None]) -> None:
    with FakeOllama(quirks=OllamaQuirks(tool_index=style)) as fake:
        answer = chat(http, fake, LLAMA, BOTH, tools=TOOLS, stream=True)
    (calls,) = [delta["tool_calls"] for delta in deltas(answer) if "tool_calls" in delta]
    assert [call.get("index") for call in calls] == indices


@pytest.mark.parametrize("reason", ["", "load"])
def test_ollama_finishes_oddly(http: httpx.Client, reason: Any) -> None:
    with FakeOllama(quirks=OllamaQuirks(finish=reason)) as fake:
        assert choice(chat(http, fake, LLAMA))["finish_reason"] == reason
        assert finish_of(chat(http, fake, LLAMA, stream=True)) == reason


def test_ollama_honours_response_formats(http: httpx.Client, ollama: FakeOllama) -> None:
    some = json.loads(choice(chat(http, ollama, LLAMA, response_format={"type": "json_object"}))["message"]["content"])
    assert some == {"words": 3}
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
    jsonschema.validate(json.loads(joined(chat(http, ollama, QWEN, response_format=wanted, stream=True))), CITY)


def test_ollama_completes(http: httpx.Client, ollama: FakeOllama) -> None:
    def complete(**more: Any) -> httpx.Response:
        return http.post(ollama.base_url + "/v1/completions", json={"model": LLAMA, **more})

    assert choice(complete(prompt="one two")) == {"text": "You said 2 words.", "index": 0, "finish_reason": "stop"}
    streamed = chunks(complete(prompt="one two", **STREAM))
    assert "".join(c["choices"][0]["text"] for c in streamed if c["choices"]) == "You said 2 words."
    assert streamed[0]["usage"] == usage(0, 0) and streamed[-1]["usage"] == usage(2, 5)
    assert choice(complete(prompt=""))["finish_reason"] == "load"


def test_ollama_embeds(http: httpx.Client, ollama: FakeOllama) -> None:
    def embed(**more: Any) -> httpx.Response:
        return http.post(ollama.base_url + EMBED, json={"model": NOMIC, "input": ["a b", "c"], **more})

    floats = [row["embedding"] for row in embed().json()["data"]]
    assert [len(row) for row in floats] == [768, 768]
    assert floats[0] != floats[1]
    packed = base64.b64decode(embed(encoding_format="base64").json()["data"][0]["embedding"])
    assert list(struct.unpack("<768f", packed)) == floats[0]
    short = embed(dimensions=8).json()["data"][1]["embedding"]
    assert len(short) == 8 and sum(x * x for x in short) == pytest.approx(1)
    assert embed(encoding_format="hex").status_code == 400
    refused = embed(model=LLAMA)
    assert (refused.status_code, refused.json()["error"]["message"]) == (500, "this model does not support embeddings")


# LM Studio


def test_lm_studio_says_200_to_everything(http: httpx.Client, studio: FakeLmStudio) -> None:
    for path in ("/", "/health", "/api/version", "/api/tags", "/x?y=1"):
        answer = http.get(studio.base_url + path)
        assert answer.status_code == 200
        assert answer.json() == {"error": f"Unexpected endpoint or method. (GET {path})"}
    answer = http.post(studio.base_url + "/chat/completions", json={})
    assert answer.json() == {"error": "Unexpected endpoint or method. (POST /chat/completions)"}


def test_lm_studio_lists_what_it_could_load(http: httpx.Client, studio: FakeLmStudio) -> None:
    listed = http.get(studio.base_url + "/v1/models").json()
    assert [row["id"] for row in listed["data"]] == [LM, "deepseek-r1-distill-qwen-7b", LM_EMBED]
    assert listed["data"][0] == {"id": LM, "object": "model", "owned_by": "organization_owner"}
    with FakeLmStudio(quirks=LmStudioQuirks(no_jit=True)) as fake:
        assert [row["id"] for row in http.get(fake.base_url + "/v1/models").json()["data"]] == [LM]


def test_lm_studio_tells_the_state_of_its_models(http: httpx.Client, studio: FakeLmStudio) -> None:
    loaded, unloaded, embedder = http.get(studio.base_url + "/api/v0/models").json()["data"]
    assert loaded == {
        "id": LM,
        "object": "model",
        "type": "llm",
        "publisher": "lmstudio-community",
        "arch": "qwen3",
        "compatibility_type": "gguf",
        "quantization": "Q4_K_M",
        "state": "loaded",
        "max_context_length": 32768,
        "loaded_context_length": 4096,
        "capabilities": ["tool_use"],
    }
    assert (unloaded["state"], "loaded_context_length" in unloaded) == ("not-loaded", False)
    assert embedder["type"] == "embeddings"
    with FakeLmStudio(version="0.3.15") as old:
        assert "capabilities" not in http.get(f"{old.base_url}/api/v0/models/{LM}").json()


def test_lm_studio_ignores_the_model_with_one_loaded(http: httpx.Client, studio: FakeLmStudio) -> None:
    assert chat(http, studio, "any-name").json()["model"] == LM
    assert chat(http, studio, "deepseek-r1-distill-qwen-7b").json()["model"] == "deepseek-r1-distill-qwen-7b"
    refused = chat(http, studio, "any-name")  # two are loaded now
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_found")


def test_lm_studio_without_a_model(http: httpx.Client) -> None:
    with FakeLmStudio([LmStudioModel("a", loaded=False)]) as fake:
        refused = chat(http, fake, "b")
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "model")
    with FakeLmStudio([]) as fake:
        assert chat(http, fake, "b").json()["error"].startswith("No models loaded.")


def test_lm_studio_answers(http: httpx.Client, studio: FakeLmStudio) -> None:
    answer = chat(http, studio, LM)
    assert choice(answer)["message"] == {"role": "assistant", "content": "You said 3 words.", "tool_calls": []}
    assert (answer.json()["usage"], answer.json()["stats"]) == (usage(4, 5), {})
    assert choice(chat(http, studio, LM, max_tokens=2))["finish_reason"] == "length"
    assert choice(chat(http, studio, LM, max_tokens=-1))["finish_reason"] == "stop"


@pytest.mark.parametrize(("version", "has_usage"), [("0.3.17", False), ("0.3.18", True), ("0.4.2", True)])
def test_lm_studio_streams_usage_since_0_3_18(http: httpx.Client, version: str, has_usage: bool) -> None:
    with FakeLmStudio(version=version) as fake:
        answer = chat(http, fake, LM, **STREAM)
    assert joined(answer) == "You said 3 words."
    assert finish_of(answer) == "stop"
    assert [chunk["usage"] for chunk in chunks(answer) if "usage" in chunk] == [usage(4, 5)] * has_usage


@pytest.mark.parametrize("new_ids", [False, True])
def test_lm_studio_fragments_its_calls(http: httpx.Client, new_ids: bool) -> None:
    with FakeLmStudio(quirks=LmStudioQuirks(new_id_per_fragment=new_ids)) as fake:
        answer = chat(http, fake, LM, BOTH, tools=TOOLS, stream=True)
    rows = [row for delta in deltas(answer) for row in delta.get("tool_calls", ())]
    for index in (0, 1):
        first, *later = (row for row in rows if row["index"] == index)
        assert (first["function"]["name"], first["function"]["arguments"]) == ("get_weather", "")
        assert {row["function"]["name"] for row in later} == {""}
        assert len({row.get("id") for row in later}) == (len(later) if new_ids else 1)
        assert json.loads("".join(row["function"]["arguments"] for row in later)) == {"city": "Paris", "days": 1}
    assert finish_of(answer) == "tool_calls"


def test_lm_studio_obeys_tool_choice(http: httpx.Client, studio: FakeLmStudio) -> None:
    assert choice(chat(http, studio, LM, WEATHER, tools=TOOLS, tool_choice="none"))["finish_reason"] == "stop"
    assert choice(chat(http, studio, LM, HELLO, tools=TOOLS, tool_choice="required"))["finish_reason"] == "tool_calls"
    assert chat(http, studio, LM, tools=TOOLS, tool_choice={"type": "function"}).status_code == 400


def test_an_unparsable_call_of_lm_studio_lands_in_the_content(http: httpx.Client) -> None:
    with FakeLmStudio(quirks=LmStudioQuirks(unparsable_calls=True)) as fake:
        told = choice(chat(http, fake, LM, WEATHER, tools=TOOLS))
    assert told["message"]["content"].startswith("<tool_call>")
    assert (told["message"]["tool_calls"], told["finish_reason"]) == ([], "stop")


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_lm_studio_reasons_in_either_field(http: httpx.Client, key: Any) -> None:
    with FakeLmStudio([LmStudioModel("r1", thinks=True)], quirks=LmStudioQuirks(reasoning_field=key)) as fake:
        assert choice(chat(http, fake, "r1"))["message"][key] == "The user asks. You said 3 words."
        assert joined(chat(http, fake, "r1", stream=True), key) == "The user asks. You said 3 words."


def test_lm_studio_has_schemas_but_no_json_objects(http: httpx.Client, studio: FakeLmStudio) -> None:
    refused = chat(http, studio, LM, response_format={"type": "json_object"})
    assert refused.status_code == 400
    assert refused.json() == {"error": "'response_format.type' must be 'json_schema' or 'text'"}
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
    jsonschema.validate(json.loads(choice(chat(http, studio, LM, response_format=wanted))["message"]["content"]), CITY)
    with FakeLmStudio(version="0.3.17", quirks=LmStudioQuirks(error_objects=True)) as old:
        error = chat(http, old, LM, response_format={"type": "text"}).json()["error"]
        assert error["message"] == "'response_format.type' must be 'json_schema'"


LONG = [{"role": "user", "content": "x" * 4000}]


def short_of_context(quirks: LmStudioQuirks) -> FakeLmStudio:
    return FakeLmStudio([LmStudioModel(LM, loaded_context=100)], quirks=quirks)


def test_a_prompt_too_long_for_lm_studio(http: httpx.Client) -> None:
    with short_of_context(LmStudioQuirks()) as fake:
        refused = chat(http, fake, LM, LONG, **STREAM)
        assert refused.status_code == 400
        assert "(n_keep: 1000>= n_ctx: 100)" in refused.json()["error"]
    with short_of_context(LmStudioQuirks(errors_in_stream=True)) as fake:
        assert chat(http, fake, LM, LONG).status_code == 400
        told = chat(http, fake, LM, LONG, stream=True)
        assert told.status_code == 200 and told.text.startswith("event: error\n")
        assert "n_keep" in chunks(told)[0]["error"]
    with short_of_context(LmStudioQuirks(too_long="empty")) as fake:
        told = chat(http, fake, LM, LONG, stream=True)
        assert (joined(told), finish_of(told)) == ("", "stop")
    with short_of_context(LmStudioQuirks(too_long="bare")) as fake:
        assert chat(http, fake, LM, LONG, stream=True).text == "data: [DONE]\n\n"


def test_lm_studio_completes(http: httpx.Client, studio: FakeLmStudio) -> None:
    body = {"model": LM, "prompt": "one two"}
    assert choice(http.post(studio.base_url + "/v1/completions", json=body))["text"] == "You said 2 words."
    streamed = chunks(http.post(studio.base_url + "/v1/completions", json=body | {"stream": True}))
    assert "".join(chunk["choices"][0]["text"] for chunk in streamed) == "You said 2 words."


def test_lm_studio_embeds_in_floats_whatever_is_asked(http: httpx.Client, studio: FakeLmStudio) -> None:
    body = {"model": LM_EMBED, "input": "a", "encoding_format": "base64", "dimensions": 8}
    answer = http.post(studio.base_url + EMBED, json=body).json()
    assert len(answer["data"][0]["embedding"]) == 768
    assert isinstance(answer["data"][0]["embedding"][0], float)
    assert http.post(studio.base_url + EMBED, json=body | {"input": [[1, 2]]}).status_code == 400
    for name, end in ((LM, "is not embedding."), ("none", "does not exist.")):
        refused = http.post(studio.base_url + EMBED, json=body | {"model": name})
        assert refused.status_code == 400 and refused.json()["error"]["message"].endswith(end)
    with FakeLmStudio(quirks=LmStudioQuirks(unknown_embedding_is_200=True)) as fake:
        odd = http.post(fake.base_url + EMBED, json=body | {"model": "none"})
        assert (odd.status_code, list(odd.json())) == (200, ["error"])


# What goes wrong


FAKES = pytest.mark.parametrize(
    ("make", "model"), [(FakeOllama, LLAMA), (FakeLmStudio, LM)], ids=["ollama", "lmstudio"]
)


@FAKES
def test_a_refusal_befalls_one_request(http: httpx.Client, make: type[Fake], model: str) -> None:
    with make() as fake:
        fake.inject(Fault(status=429, retry_after="7"), Fault(status=503))
        busy, down, well = (chat(http, fake, model) for _ in range(3))
    assert (busy.status_code, busy.headers["retry-after"], down.status_code) == (429, "7", 503)
    assert "error" in busy.json()
    assert well.status_code == 200


@FAKES
def test_a_delay_ends_when_the_test_says_so(http: httpx.Client, make: type[Fake], model: str) -> None:
    go = threading.Event()
    with make() as fake, ThreadPoolExecutor() as pool:
        fake.inject(Fault(delay=go))
        slow = pool.submit(chat, http, fake, model, stream=True)
        fake.wait_for(1)
        assert chat(http, fake, model).status_code == 200  # others are served meanwhile
        assert not slow.done()
        go.set()
        assert slow.result().text.endswith("data: [DONE]\n\n")


@FAKES
def test_a_server_that_ends_lets_go_of_whom_it_holds(http: httpx.Client, make: type[Fake], model: str) -> None:
    never = threading.Event()
    with ThreadPoolExecutor() as pool:
        with make() as fake:
            fake.inject(Fault(delay=never, path="/v1/models"))
            held = pool.submit(http.get, fake.base_url + "/v1/models")
            fake.wait_for(1)
        with contextlib.suppress(httpx.TransportError):
            held.result()
    with pytest.raises(httpx.ConnectError):
        http.get(fake.base_url)


def test_an_error_in_a_stream_of_ollama_is_an_empty_delta(http: httpx.Client, ollama: FakeOllama) -> None:
    ollama.inject(Fault(stream_error=2), Fault(stream_error=0), Fault(stream_error=2))
    answer = chat(http, ollama, LLAMA, **STREAM)
    assert joined(answer) == "You said"
    assert deltas(answer)[-1] == {"role": "assistant", "content": ""}
    assert finish_of(answer) is None
    assert "[DONE]" not in answer.text
    early, whole = chat(http, ollama, LLAMA, **STREAM), chat(http, ollama, LLAMA)
    assert (early.status_code, whole.status_code) == (500, 500)
    assert whole.json()["error"]["type"] == "api_error"


def test_an_error_in_a_stream_of_lm_studio_is_an_event(http: httpx.Client, studio: FakeLmStudio) -> None:
    studio.inject(Fault(stream_error=2), Fault(stream_error=2))
    answer = chat(http, studio, LM, **STREAM)
    assert answer.text.count("event: error\n") == 1
    assert "crashed" in chunks(answer)[-1]["error"]
    assert "[DONE]" not in answer.text
    assert chat(http, studio, LM).status_code == 400


@FAKES
@pytest.mark.parametrize("stream", [True, False])
def test_a_cut_in_mid_frame(http: httpx.Client, make: type[Fake], model: str, stream: bool) -> None:
    with make() as fake:
        fake.inject(Fault(cut=1))
        body = {"model": model, "messages": HELLO, "stream": stream}
        got = b""
        cut = pytest.raises(httpx.RemoteProtocolError)
        with http.stream("POST", fake.base_url + CHAT, json=body) as answer, cut:
            for part in answer.iter_raw():
                got += part
        assert got.count(b"\n\n") == int(stream)
        assert not got.endswith((b"\n", b"}"))
        assert chat(http, fake, model).status_code == 200


@FAKES
def test_many_at_once(make: type[Fake], model: str) -> None:
    with make() as fake, httpx.Client(trust_env=False) as http, ThreadPoolExecutor(16) as pool:
        texts = [" ".join(["word"] * (i + 1)) for i in range(64)]
        asks = [[{"role": "user", "content": text}] for text in texts]
        told = list(pool.map(lambda messages: choice(chat(http, fake, model, messages))["message"]["content"], asks))
    assert told == [f"You said {i + 1} words." for i in range(64)]
    assert len(fake.seen) == 64


SCHEMAS: list[dict[str, Any]] = [
    CITY,
    {"const": 7},
    {"enum": ["b", "a"]},
    {"type": "integer", "minimum": 3, "maximum": 9, "multipleOf": 4},
    {"type": "number", "exclusiveMaximum": 0},
    {"type": ["string", "null"], "minLength": 9, "maxLength": 9},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
    {"anyOf": [{"type": "null"}, {"type": "string"}]},
    {"allOf": [{"required": ["a"]}, {"properties": {"a": {"type": "array"}}, "required": ["b"]}], "type": "object"},
    {
        "$defs": {"day": {"type": "string", "format": "date"}},
        "type": "object",
        "properties": {"day": {"$ref": "#/$defs/day"}},
        "required": ["day"],
        "additionalProperties": False,
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_instance_fits_its_schema(schema: dict[str, Any]) -> None:
    jsonschema.validate(instance(schema), schema, format_checker=jsonschema.FormatChecker())
