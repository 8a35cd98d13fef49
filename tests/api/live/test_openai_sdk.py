"""The openai SDK, unchanged, against a real `aldo serve` before a real mlx_lm.server and a real llama.cpp server.

SmolLM2 answers with sense; the model of mlx_lm.server is random and never ends by itself, so it always runs to its
`max_tokens`.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.api.live.gateway import GatewayProcess, entry, eventually, write_catalog
from tests.support.cli import aldo
from tests.support.llamacpp_server import LlamaCppServer, smollm2
from tests.support.mlx_server import MlxServer
from tests.support.tiny_model import CHAT_TEMPLATE

ONE_THREAD = {"cpuparams.n_threads": 1, "cpuparams_batch.n_threads": 1}  # more of them fight over a busy machine
CAPITAL: Any = [{"role": "user", "content": "What is the capital of France?"}]
AS_JSON: Any = [{"role": "user", "content": "Name the country France and its capital as JSON."}]
# A `<tool_call>` to go on from makes even this small model call.
WEATHER: Any = [
    {"role": "user", "content": "What is the weather in Paris?"},
    {"role": "assistant", "content": "<tool_call>"},
]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
# It may call without an end, so it is told where to stop.
CALLING: dict[str, Any] = {"tools": [TOOL], "tool_choice": "required", "stop": ["</tool_call>"]}
GREEDY: dict[str, Any] = {"temperature": 0, "seed": 1}


class Capital(BaseModel):
    country: str
    capital: str


@pytest.fixture(scope="module", autouse=True)
def bare_environment() -> Iterator[None]:
    """The SDK reads variables, and httpx proxies."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("OPENAI_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="module")
def llamacpp() -> Iterator[LlamaCppServer]:
    with LlamaCppServer(
        smollm2(), context=2048, embeddings=True, extra={**ONE_THREAD, "chat_template": CHAT_TEMPLATE}
    ) as server:
        yield server


@pytest.fixture(scope="module")
def catalog(llamacpp: LlamaCppServer, mlx: MlxServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2 before the random model in one class, SmolLM2's embeddings in another."""
    calling = ["streaming", "tool-use", "function-calling"]
    entries = [
        entry(
            "smollm2",
            llamacpp.base_url,
            provides=[*calling, "json-mode", "structured-output"],
            effectiveContextTokens=2048,
            latencyP95Ms=100,
        ),
        entry("tiny-mlx", mlx.base_url, provider="mlx", providerKind="mlx", provides=calling, latencyP95Ms=200),
        entry(
            "smollm2-embed",
            llamacpp.base_url,
            capabilityClass="embeddings",
            provides=["embeddings"],
            effectiveContextTokens=2048,
        ),
    ]
    return write_catalog(tmp_path_factory.mktemp("catalog") / "models.yaml", entries)


@pytest.fixture(scope="module")
def gateway(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    usage = tmp_path_factory.mktemp("usage") / "usage.jsonl"
    with GatewayProcess(catalog, "--privacy=internal", "--probe-every=0.2", usage=usage) as process:
        yield process


@pytest.fixture
def client(gateway: GatewayProcess) -> Iterator[openai.OpenAI]:
    with connected(gateway) as found:
        yield found


@pytest.fixture
def rows(gateway: GatewayProcess) -> Callable[[int], list[dict[str, Any]]]:
    """The usage rows of this test, once there are so many of them."""
    before = len(gateway.rows())

    def found(count: int) -> list[dict[str, Any]]:
        return eventually(lambda: gateway.rows()[before:], lambda rows: len(rows) >= count)

    return found


def connected(gateway: GatewayProcess, **options: Any) -> openai.OpenAI:
    """The SDK's client. A key must be given, or the SDK refuses."""
    return openai.OpenAI(base_url=gateway.api, **{"api_key": "none", "max_retries": 0, **options})


def text_of(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def state_of(client: openai.OpenAI, model: str) -> str:
    return client.models.retrieve(model).model_extra["health"]["state"]  # type: ignore[index]


# --- chats ---


@pytest.mark.parametrize("model", ["fast-draft", "smollm2"])
def test_a_class_and_a_pinned_id_are_answered_by_the_model_itself(client, rows, model):
    answer = client.chat.completions.create(model=model, messages=CAPITAL, max_tokens=16, **GREEDY)
    assert answer.model == "smollm2"
    (choice,) = answer.choices
    assert choice.finish_reason == "stop"
    assert choice.message.role == "assistant"
    assert "Paris" in choice.message.content
    assert choice.message.tool_calls is None
    (row,) = rows(1)
    assert (row["model"], row["provider"], row["outcome"]) == ("smollm2", "llamacpp", "ok")
    assert (row["tokensIn"], row["tokensOut"]) == (answer.usage.prompt_tokens, answer.usage.completion_tokens)


def test_a_pin_reaches_the_model_that_its_class_would_not_choose(client, rows):
    answer = client.chat.completions.create(model="tiny-mlx", messages=CAPITAL, max_tokens=12)
    assert (answer.model, answer.choices[0].finish_reason) == ("tiny-mlx", "length")
    assert answer.usage.completion_tokens == 12
    assert answer.choices[0].message.content
    (row,) = rows(1)
    assert (row["model"], row["provider"], row["upstreamModel"]) == ("tiny-mlx", "mlx", "default_model")


def test_what_the_first_has_no_room_for_is_answered_by_the_one_that_has(client):
    asked: dict[str, Any] = {"messages": CAPITAL, "max_tokens": 4000, "stop": ["a", "e", "i", "x"]}
    answer = client.chat.completions.create(model="fast-draft", **asked)
    assert (answer.model, answer.choices[0].finish_reason) == ("tiny-mlx", "stop")
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.chat.completions.create(model="smollm2", **asked)
    assert "smollm2 is dropped at CONTEXT_TOO_SMALL" in caught.value.message


def test_a_stream_is_the_whole_answer_in_pieces(client):
    asked: dict[str, Any] = {"model": "fast-draft", "messages": CAPITAL, "max_tokens": 16, **GREEDY}
    client.chat.completions.create(**asked)  # after this the server's cache of the prompt is the same for both
    whole = client.chat.completions.create(**asked)
    with client.chat.completions.create(**asked, stream=True) as stream:
        chunks = list(stream)
    assert len(chunks) > 4
    assert text_of(chunks) == whole.choices[0].message.content
    assert {chunk.model for chunk in chunks} == {"smollm2"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert {chunk.usage for chunk in chunks} == {None}


@pytest.mark.parametrize("model", ["smollm2", "tiny-mlx"])
def test_a_stream_that_is_to_hold_usage_ends_in_it(client, rows, model):
    stream = client.chat.completions.create(
        model=model, messages=CAPITAL, max_tokens=5, stream=True, stream_options={"include_usage": True}
    )
    *before, last = list(stream)
    assert last.choices == []
    assert {chunk.usage for chunk in before} == {None}
    assert (last.usage.completion_tokens, before[-1].choices[0].finish_reason) == (5, "length")
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens
    (row,) = rows(1)
    assert (row["tokensIn"], row["tokensOut"]) == (last.usage.prompt_tokens, last.usage.completion_tokens)
    assert row["ttftMs"] > 0


def test_the_fields_that_clients_send_today_are_taken(client):
    answer = client.chat.completions.create(
        model="smollm2",
        messages=[{"role": "developer", "content": "Answer in one word."}, *CAPITAL],
        max_completion_tokens=16,
        stop=["Paris"],
        n=1,
        top_p=0.9,
        presence_penalty=0.0,
        frequency_penalty=0.0,
        user="someone",
        metadata={"run": "7"},
        store=False,
        **GREEDY,
    )
    assert answer.choices[0].finish_reason == "stop"
    assert "Paris" not in answer.choices[0].message.content


def test_log_probabilities_come_through(client):
    asked: dict[str, Any] = {"model": "smollm2", "messages": CAPITAL, "max_tokens": 4, "logprobs": True}
    answer = client.chat.completions.create(**asked, top_logprobs=2, **GREEDY)
    found = answer.choices[0].logprobs.content
    assert len(found) == 4
    assert all(one.logprob <= 0 and len(one.top_logprobs) == 2 for one in found)


def test_the_asynchronous_client_is_answered_side_by_side(gateway, rows):
    async def ask() -> tuple[list[Any], str, int]:
        async with openai.AsyncOpenAI(base_url=gateway.api, api_key="none", max_retries=0) as client:
            create = client.chat.completions.create
            plain = [
                create(model=model, messages=CAPITAL, max_tokens=16, **GREEDY)
                for model in ("smollm2", "tiny-mlx", "fast-draft", "tiny-mlx")
            ]

            async def streamed() -> str:
                stream = await create(model="smollm2", messages=CAPITAL, max_tokens=16, stream=True, **GREEDY)
                return text_of([chunk async for chunk in stream])

            *answers, text, listed = await asyncio.gather(*plain, streamed(), client.models.list())
            return answers, text, len(listed.data)

    answers, text, listed = asyncio.run(ask())
    assert [answer.model for answer in answers] == ["smollm2", "tiny-mlx", "smollm2", "tiny-mlx"]
    assert "Paris" in answers[0].choices[0].message.content
    assert "Paris" in text
    assert listed == 3
    assert Counter(row["model"] for row in rows(5)) == {"smollm2": 3, "tiny-mlx": 2}


# --- tools ---


def test_a_tool_call_is_whole_and_its_result_is_taken_back(client):
    answer = client.chat.completions.create(model="fast-draft", messages=WEATHER, max_tokens=60, **CALLING, **GREEDY)
    assert answer.model == "smollm2"
    assert answer.choices[0].finish_reason == "tool_calls"
    (call, *_) = answer.choices[0].message.tool_calls
    assert (call.type, call.function.name) == ("function", "get_weather")
    assert "Paris" in call.function.arguments
    said = answer.choices[0].message.model_dump(exclude_unset=True)
    result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees, sunny"}
    after = client.chat.completions.create(
        model="smollm2", messages=[WEATHER[0], said, result], tools=[TOOL], max_tokens=8, **GREEDY
    )
    assert after.choices[0].message.content


def test_a_streamed_tool_call_is_the_same_one(client):
    asked: dict[str, Any] = {"model": "smollm2", "messages": WEATHER, "max_tokens": 60, **CALLING, **GREEDY}
    client.chat.completions.create(**asked)  # the server's cache is the same for both after it
    whole = client.chat.completions.create(**asked).choices[0]
    with client.chat.completions.stream(**asked) as stream:
        kinds = Counter(event.type for event in stream)
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == whole.finish_reason == "tool_calls"
    wanted = [(call.function.name, call.function.arguments) for call in whole.message.tool_calls]
    assert [(call.function.name, call.function.arguments) for call in choice.message.tool_calls] == wanted
    assert kinds["tool_calls.function.arguments.done"] == len(wanted)
    assert all(call.id for call in choice.message.tool_calls)


# --- structured output ---


def test_parse_gives_the_pydantic_model(client):
    answer = client.chat.completions.parse(
        model="fast-draft", messages=AS_JSON, max_tokens=60, response_format=Capital, **GREEDY
    )
    parsed = answer.choices[0].message.parsed
    assert isinstance(parsed, Capital)
    assert parsed.capital == "Paris"
    assert answer.choices[0].message.refusal is None


def test_a_stream_is_parsed_at_its_end(client):
    with client.chat.completions.stream(
        model="smollm2", messages=AS_JSON, max_tokens=60, response_format=Capital, **GREEDY
    ) as stream:
        kinds = [event.type for event in stream]
        parsed = stream.get_final_completion().choices[0].message.parsed
    assert isinstance(parsed, Capital)
    assert kinds.count("content.delta") > 3
    assert kinds[-1] == "content.done"


def test_json_mode_gives_json(client):
    answer = client.chat.completions.create(
        model="smollm2", messages=AS_JSON, max_tokens=60, response_format={"type": "json_object"}, **GREEDY
    )
    assert answer.choices[0].message.content.strip().startswith("{")


def test_an_answer_that_is_not_what_was_asked_for_is_never_handed_out_as_if_it_were(client, rows):
    """mlx_lm.server takes no notice of response_format."""
    asked: dict[str, Any] = {"model": "tiny-mlx", "messages": AS_JSON, "max_tokens": 8}
    asked |= {"response_format": {"type": "json_object"}}
    with pytest.raises(openai.InternalServerError) as whole:
        client.chat.completions.create(**asked)
    assert (whole.value.status_code, whole.value.code) == (502, "schema_mismatch")
    with client.chat.completions.create(**asked, stream=True) as stream, pytest.raises(openai.APIError) as streamed:
        list(stream)
    assert streamed.value.code == "schema_mismatch"
    assert [row["outcome"] for row in rows(2)] == ["schema_mismatch"] * 2


# --- embeddings ---


def test_embeddings_are_one_vector_a_text_however_the_numbers_travel(client, rows):
    texts = ["The cat sat on the mat.", "Interest rates rose.", "The cat sat on the mat."]
    packed = client.embeddings.create(model="embeddings", input=texts)  # base64, the SDK's own default
    plain = client.embeddings.create(model="smollm2-embed", input=texts, encoding_format="float")
    assert packed.model == plain.model == "smollm2-embed"
    assert [item.index for item in packed.data] == [0, 1, 2]
    assert {len(item.embedding) for item in (*packed.data, *plain.data)} == {576}
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-3)
    assert packed.data[0].embedding == pytest.approx(packed.data[2].embedding, abs=1e-3)
    assert packed.data[0].embedding != pytest.approx(packed.data[1].embedding, abs=1e-2)
    assert packed.usage.prompt_tokens > 3
    assert [(row["model"], row["tokensIn"]) for row in rows(2)] == [("smollm2-embed", packed.usage.prompt_tokens)] * 2


def test_a_single_text_is_embedded_as_a_list_of_one(client):
    alone = client.embeddings.create(model="embeddings", input="hello")
    listed = client.embeddings.create(model="embeddings", input=["hello"])
    assert alone.data[0].embedding == pytest.approx(listed.data[0].embedding, abs=1e-3)


# --- models, headers, tiers ---


def test_the_list_has_every_entry_with_its_health_and_each_can_be_retrieved(client):
    listed = list(client.models.list())
    assert [model.id for model in listed] == ["smollm2", "tiny-mlx", "smollm2-embed"]
    assert [model.owned_by for model in listed] == ["llamacpp", "mlx", "llamacpp"]
    for model in listed:
        facts = client.models.retrieve(model.id).model_extra
        assert facts["available"] is True
        assert (facts["health"]["state"], facts["locality"]) == ("up", "local")
        assert facts["capabilityClass"] == model.model_extra["capabilityClass"]


def test_headers_tell_the_decision_of_plain_and_streamed_answers(client):
    create = client.chat.completions.with_raw_response.create
    plain = create(model="fast-draft", messages=CAPITAL, max_tokens=2)
    streamed = create(model="tiny-mlx", messages=CAPITAL, max_tokens=2, stream=True)
    for raw, model in ((plain, "smollm2"), (streamed, "tiny-mlx")):
        assert raw.headers["X-Aldo-Model"] == model
        assert raw.headers["X-Aldo-Class"] == "fast-draft"
        assert raw.headers["X-Aldo-Routing-Digest"].startswith("sha256:")
        assert "X-Aldo-Down" not in raw.headers
    assert plain.parse().choices[0].finish_reason == "length"
    assert list(streamed.parse())[-1].choices[0].finish_reason == "length"
    with client.embeddings.with_streaming_response.create(model="embeddings", input="hello") as embedded:
        assert embedded.headers["X-Aldo-Model"] == "smollm2-embed"
        assert len(embedded.parse().data) == 1


def test_a_tier_in_the_clients_default_headers_holds_for_all_it_asks(gateway, rows):
    with connected(gateway, default_headers={"X-Aldo-Privacy": "sensitive"}) as client:
        client.chat.completions.create(model="fast-draft", messages=CAPITAL, max_tokens=1)
        client.embeddings.create(model="embeddings", input="hello")
        list(client.chat.completions.create(model="tiny-mlx", messages=CAPITAL, max_tokens=1, stream=True))
    with connected(gateway) as client:
        client.chat.completions.create(model="fast-draft", messages=CAPITAL, max_tokens=1)
    assert [row["privacy"] for row in rows(4)] == ["sensitive"] * 3 + ["internal"]


# --- errors ---

Wrong = Callable[[openai.OpenAI], object]
BY_TYPE: dict[str, tuple[Wrong, type[openai.APIStatusError], int, str, str | None]] = {
    "a model that the catalog does not have": (
        lambda client: client.models.retrieve("gpt-4"),
        openai.NotFoundError,
        404,
        "unknown_model",
        "model",
    ),
    "a chat with a name that is neither entry nor class": (
        lambda client: client.chat.completions.create(model="gpt-4", messages=CAPITAL),
        openai.NotFoundError,
        404,
        "unknown_class",
        "model",
    ),
    "a path of the protocol that is not here": (
        lambda client: client.responses.create(model="smollm2", input="hi"),
        openai.NotFoundError,
        404,
        "not_found",
        None,
    ),
    "a temperature below zero": (
        lambda client: client.chat.completions.create(model="smollm2", messages=CAPITAL, temperature=-1),
        openai.BadRequestError,
        400,
        "invalid_request",
        "temperature",
    ),
    "two answers at once": (
        lambda client: client.chat.completions.create(model="smollm2", messages=CAPITAL, n=2),
        openai.BadRequestError,
        400,
        "invalid_request",
        "n",
    ),
    "a field that nobody knows": (
        lambda client: client.chat.completions.create(model="smollm2", messages=CAPITAL, extra_body={"temprature": 1}),
        openai.BadRequestError,
        400,
        "invalid_request",
        "temprature",
    ),
    "a misspelt header": (
        lambda client: client.chat.completions.create(
            model="smollm2", messages=CAPITAL, extra_headers={"X-Aldo-Privcy": "sensitive"}
        ),
        openai.BadRequestError,
        400,
        "invalid_request",
        "X-Aldo-Privcy",
    ),
    "a prompt that the pinned server cannot hold": (
        lambda client: client.chat.completions.create(
            model="smollm2", messages=[{"role": "user", "content": "1 " * 2000}], max_tokens=8
        ),
        openai.BadRequestError,
        400,
        "context_exceeded",
        None,
    ),
    "a chat with a model of embeddings": (
        lambda client: client.chat.completions.create(model="embeddings", messages=CAPITAL),
        openai.BadRequestError,
        400,
        "invalid_request",
        "model",
    ),
    "embeddings of a model that chats": (
        lambda client: client.embeddings.create(model="fast-draft", input="hello"),
        openai.BadRequestError,
        400,
        "invalid_request",
        "model",
    ),
    "embeddings of token numbers": (
        lambda client: client.embeddings.create(model="embeddings", input=[1, 2, 3]),
        openai.BadRequestError,
        400,
        "invalid_request",
        "input",
    ),
    "what no entry provides": (
        lambda client: client.chat.completions.create(
            model="fast-draft", messages=CAPITAL, extra_headers={"X-Aldo-Requires": "vision"}
        ),
        openai.UnprocessableEntityError,
        422,
        "no_eligible_model",
        None,
    ),
    "another machine's name": (
        lambda client: client.with_options(default_headers={"Host": "models.example"}).models.list(),
        openai.PermissionDeniedError,
        403,
        "host_refused",
        None,
    ),
}


@pytest.mark.parametrize("what", BY_TYPE)
def test_what_is_refused_is_an_exception_of_its_own_type(client, what):
    call, kind, status, code, param = BY_TYPE[what]
    with pytest.raises(kind) as caught:
        call(client)
    assert type(caught.value) is kind
    assert (caught.value.status_code, caught.value.code, caught.value.param) == (status, code, param)
    assert caught.value.body["message"]  # type: ignore[index]


def test_a_refusal_says_what_would_help(client):
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.chat.completions.create(
            model="fast-draft", messages=CAPITAL, extra_headers={"X-Aldo-Requires": "vision"}
        )
    body: Any = caught.value.body
    assert body["stages"] == [{"capabilityClass": "fast-draft", "code": "CAPABILITY_MISSING", "entries": 2}]
    assert {one["model"] for one in body["relaxations"]} <= {"smollm2", "tiny-mlx"}
    assert body["relaxations"]


def test_keys_tiers_and_crowds_are_refused_each_in_its_type(catalog, tmp_path):
    keys = tmp_path / "keys.txt"
    made = aldo("keys", "new", "someone", "--file", str(keys))
    assert made.returncode == 0, made.stderr
    key = next(word for word in made.stdout.split() if word.startswith("aldo-"))
    options = (f"--keys={keys}", "--max-requests=1")
    with GatewayProcess(catalog, *options, usage=tmp_path / "usage.jsonl") as gateway:
        with connected(gateway, api_key="aldo-wrong") as client:
            for call in (
                client.models.list,
                lambda: client.chat.completions.create(model="fast-draft", messages=CAPITAL),
                lambda: client.embeddings.create(model="embeddings", input="hello"),
            ):
                with pytest.raises(openai.AuthenticationError) as refused:
                    call()
                assert (refused.value.status_code, refused.value.code) == (401, "invalid_api_key")
        with connected(gateway, api_key=key) as client:
            with pytest.raises(openai.BadRequestError) as untold:
                client.chat.completions.create(model="fast-draft", messages=CAPITAL)
            assert (untold.value.code, untold.value.param) == ("privacy_missing", "X-Aldo-Privacy")
        with connected(gateway, api_key=key, default_headers={"X-Aldo-Privacy": "public"}) as client:
            # Pieces that nobody reads fill what buffers there are: the stream is under way for as long as it is open.
            with client.chat.completions.create(
                model="tiny-mlx", messages=CAPITAL, max_tokens=20_000, stream=True
            ) as busy:
                next(iter(busy))
                with pytest.raises(openai.RateLimitError) as crowd:
                    client.chat.completions.create(model="fast-draft", messages=CAPITAL)
            assert crowd.value.code == "too_many_requests"
            assert int(crowd.value.response.headers["retry-after"]) >= 1

            def answered() -> bool:
                try:
                    return bool(client.chat.completions.create(model="smollm2", messages=CAPITAL, max_tokens=1))
                except openai.RateLimitError:
                    return False

            eventually(answered)
        assert [row["outcome"] for row in gateway.rows()] == ["cancelled", "ok"]
        assert "aldo-" not in gateway.log_text()


# --- what goes wrong on the way ---


@pytest.mark.parametrize("model", ["smollm2", "tiny-mlx"])
def test_a_client_that_stops_reading_ends_the_request_to_the_server(client, rows, model):
    with client.chat.completions.create(model=model, messages=CAPITAL, max_tokens=1900, stream=True) as stream:
        for _, chunk in zip(range(3), stream, strict=False):
            assert chunk.model == model
    # The llama.cpp server has one slot: that it answers another shows that it was let go.
    answer = client.chat.completions.create(model=model, messages=CAPITAL, max_tokens=1)
    assert answer.model == model
    found = {row["outcome"]: row for row in rows(2)}
    assert found.keys() == {"cancelled", "ok"}
    assert found["cancelled"]["finishReason"] is None


def test_every_answer_has_one_row_and_the_rows_say_what_the_client_was_told(client, rows):
    told: list[tuple[str, int, int]] = []
    for model in ("smollm2", "tiny-mlx", "fast-draft"):
        for _ in range(2):
            answer = client.chat.completions.create(model=model, messages=CAPITAL, max_tokens=3)
            told.append((answer.model, answer.usage.prompt_tokens, answer.usage.completion_tokens))
    found = [(row["model"], row["tokensIn"], row["tokensOut"]) for row in rows(len(told))]
    assert found == told


def test_a_killed_server_is_stood_in_for_before_the_first_byte_and_its_cut_stream_is_an_error(
    catalog, llamacpp, tmp_path
):
    """Nothing is probed here: that it is gone is learned from the request itself."""
    try:
        with (
            GatewayProcess(catalog, "--privacy=sensitive", "--no-probe", usage=tmp_path / "usage.jsonl") as gateway,
            connected(gateway) as client,
        ):
            asked: dict[str, Any] = {"model": "fast-draft", "messages": CAPITAL}
            with client.chat.completions.create(**asked, max_tokens=1900, stream=True) as stream:
                assert next(iter(stream)).model == "smollm2"
                llamacpp.kill()
                with pytest.raises(openai.APIError) as cut:
                    list(stream)
            assert cut.value.code == "stream_cut"
            raw = client.chat.completions.with_raw_response.create(**asked, max_tokens=3)
            assert (raw.headers["X-Aldo-Model"], raw.parse().model) == ("tiny-mlx", "tiny-mlx")
            assert [(row["model"], row["outcome"]) for row in gateway.rows()] == [
                ("smollm2", "stream_cut"),
                ("smollm2", "connection"),
                ("tiny-mlx", "ok"),
            ]
            streamed = list(client.chat.completions.create(**asked, max_tokens=3, stream=True))
            assert {chunk.model for chunk in streamed} == {"tiny-mlx"}
            # Three failures in a row: it is down, and nobody asks it. A pin has no one to stand in.
            with pytest.raises(openai.InternalServerError) as nobody:
                client.chat.completions.create(model="smollm2", messages=CAPITAL, max_tokens=3)
            assert (nobody.value.status_code, nobody.value.code) == (503, "no_eligible_model")
            assert int(nobody.value.response.headers["retry-after"]) >= 1
            assert [row["model"] for row in gateway.rows()][-2:] == ["smollm2", "tiny-mlx"]
    finally:
        llamacpp.start()


def test_a_pinned_server_that_is_gone_is_a_bad_gateway(catalog, llamacpp, tmp_path):
    llamacpp.kill()
    try:
        with (
            GatewayProcess(catalog, "--privacy=public", "--no-probe", usage=tmp_path / "usage.jsonl") as gateway,
            connected(gateway) as client,
        ):
            with pytest.raises(openai.InternalServerError) as caught:
                client.chat.completions.create(model="smollm2", messages=CAPITAL)
            assert (caught.value.status_code, caught.value.code) == (502, "connection")
            with pytest.raises(openai.InternalServerError) as embedding:
                client.embeddings.create(model="embeddings", input="hello")
            assert (embedding.value.status_code, embedding.value.code) == (502, "connection")
    finally:
        llamacpp.start()


def test_a_killed_server_is_shown_down_and_comes_back_when_it_is_started_again(client, llamacpp, rows):
    llamacpp.kill()
    try:
        eventually(lambda: state_of(client, "smollm2"), lambda state: state == "down")
        listed = {model.id: model.model_extra for model in client.models.list()}
        assert [model for model, facts in listed.items() if facts["health"]["state"] == "down"] == [
            "smollm2",
            "smollm2-embed",
        ]
        assert [facts["available"] for facts in listed.values()] == [False, True, False]
        assert listed["smollm2"]["health"]["reason"]
        raw = client.chat.completions.with_raw_response.create(model="fast-draft", messages=CAPITAL, max_tokens=3)
        assert raw.headers["X-Aldo-Model"] == "tiny-mlx"
        assert raw.headers["X-Aldo-Down"] == "smollm2"
        with pytest.raises(openai.InternalServerError) as nobody:
            client.embeddings.create(model="embeddings", input="hello")
        assert (nobody.value.status_code, nobody.value.code) == (503, "no_eligible_model")
        assert [(row["model"], row["outcome"]) for row in rows(1)] == [("tiny-mlx", "ok")]  # the dead was not asked
    finally:
        llamacpp.start()
    eventually(lambda: state_of(client, "smollm2"), lambda state: state == "up")
    answer = client.chat.completions.create(model="fast-draft", messages=CAPITAL, max_tokens=16, **GREEDY)
    assert (answer.model, "Paris" in answer.choices[0].message.content) == ("smollm2", True)
    assert len(client.embeddings.create(model="embeddings", input="hello").data) == 1
