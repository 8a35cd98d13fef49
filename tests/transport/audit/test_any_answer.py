"""Whatever a server answers, the correction loads and holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.schema.vocabulary import CAPABILITIES
from tests.support.fake_server import FakeServer, Seen
from tests.support.fake_server import http as raw_http
from tests.transport.audit.able_server import answer
from tests.transport.audit.auditing import check_correction, model


def kind_of(seen: Seen) -> str:
    """What is asked, in a word."""
    if not seen.body:
        return seen.target
    body = seen.json
    if not seen.target.endswith("/chat/completions"):
        return seen.target
    if body.get("response_format"):
        return str(body["response_format"]["type"])
    if body.get("tools"):
        return str(body.get("tool_choice"))
    if not isinstance(body["messages"][0]["content"], str):
        return "parts"
    return "stream" if body.get("stream") else "modalities" if "modalities" in body else f"chat {body['max_tokens']}"


def choice(message: Any, finish: Any = "stop", usage: Any = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage}


CALL = {"id": "c", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
BODIES: list[Any] = [
    choice({"content": "It is red and blue."}),
    choice({"content": '{"zq": "vx-17"}'}),
    choice({"content": '```json\n{"zq": "vx-17"}\n```'}),
    choice({"content": '{"zq": "vx'}, "length"),
    choice({"content": "[1]", "reasoning": "hm"}),
    choice({"content": "<think>"}),
    choice({"content": None, "refusal": "no"}),
    choice({"content": "\ud800\x1b[31m\u202e# : - &a *b"}),
    choice({"tool_calls": [CALL]}, "tool_calls"),
    choice({"tool_calls": [CALL, {**CALL, "id": "d"}]}, "tool_calls"),
    choice({"tool_calls": [{"function": {"name": "get_weather", "arguments": "{"}}]}, "tool_calls"),
    choice({"tool_calls": None}, "tool_calls"),
    choice({"content": "x", "audio": {"data": "AA"}}, "stop", {"prompt_tokens": 10**9}),
    choice({"content": 1}, 2, "3"),
    {"choices": [{"text": "x", "finish_reason": "stop"}]},
    {"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [2, 1]}]},
    {"data": [{"index": 0, "embedding": [1]}]},
    {"results": [1, 2]},
    {"error": "a string"},
    {"error": {"message": "context length: # \ud800 \x1b[2J\n- x", "code": 400}},
    {"choices": []},
    {},
    [],
    None,
    1,
]
RAW = [json.dumps(body).encode() for body in BODIES] + [
    b"",
    b"<html>",
    b"data: [DONE]\n\n",
    b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]}\n\n',
    b'data: {"error": {"message": "no"}}\n\n',
    b"[" * 5_000,
    b"\xff\xfe",
]
STATUSES = ["200 OK"] * 6 + ["400 Bad Request", "404 Not Found", "429 Too Many", "500 Oops", "501 No", "302 Found"]
KINDS = ["chat 1", "chat 512", "stream", "json_schema", "json_object", "auto", "required", "None", "parts", "modalities",
         "/v1/embeddings", "/v1/completions", "/v1/rerank"]  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    told=st.fixed_dictionaries(
        dict.fromkeys(KINDS, st.tuples(st.sampled_from(STATUSES), st.sampled_from(RAW)))
        | {"chat 1": st.tuples(st.just("200 OK"), st.sampled_from(RAW[:6]))}
    ),
    stated=st.sampled_from([None, 1, 4096, 10**6, -1, "x", 2.5, 10**13]),
    tags=st.lists(st.sampled_from(CAPABILITIES), min_size=1, max_size=8, unique=True),
)
def test_whatever_a_server_answers_the_correction_loads_and_holds(
    tmp_path: Path, told: dict[str, tuple[str, bytes]], stated: Any, tags: list[str]
) -> None:
    row = {"id": "m", "owned_by": "vllm", "max_model_len": stated}

    def script(seen: Seen) -> bytes:
        if seen.target == "/v1/models":
            return answer({"data": [row]})
        status, body = told.get(kind_of(seen), ("404 Not Found", b"Not Found"))
        return raw_http(body, status, retry_after="0")

    with FakeServer([script]) as server:
        context = 32768
        if any(tag.endswith("-context") for tag in tags):  # see above what else becomes of them
            context, tags = 1_000_000, list(dict.fromkeys([*tags, "long-output"]))
        check_correction(model(server.url, *tags, effectiveContextTokens=context), tmp_path)
