"""The checks. Each asks a server something in one way and says what came of it.

What comes of a check is `works`, `ignored` (the server answers as if it had not been asked), `wrong` (it answers
with something that is not so), `not offered` (there is nothing to ask), or the code of the error that was raised.
An error that the check is about is what works: a check of a wrong model name works where it is `model_not_found`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aldo.errors import TransportError
from aldo.transport import (
    ChatRequest,
    ChatResult,
    EmbeddingRequest,
    Finished,
    Retry,
    TextDelta,
    ToolCall,
    json_schema_format,
)
from tests.support.fake_runtimes import Fault
from tests.transport.conformance.clients import WHOLE_AND_STREAM, Asker, Client, Target, Way, sleeps
from tests.transport.conformance.scripted_model import THOUGHT, UNICODE
from tests.transport.conformance.servers import WAIT_SECONDS, Subject, _Played

WORKS, IGNORED, WRONG, NOT_OFFERED = "works", "ignored", "wrong", "not offered"
WORDS = (WORKS, IGNORED, WRONG, NOT_OFFERED)

TWICE = Retry(times=1)
RETRY_AFTER = 3.0
LONG = 900  # tokens: an answer that is not over before it is cut
TEXTS = ("alpha 1", "beta 2", "gamma 3", "delta 4", "epsilon 5")

CITY = {"type": "string", "enum": ["Paris", "Oslo"]}
ZONE = {"type": "string", "enum": ["UTC"]}


def _tool(name: str, field: str, values: dict[str, Any]) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {field: values},
        "required": [field],
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "strict": True, "parameters": parameters}}


WEATHER, TIME = _tool("get_weather", "city", CITY), _tool("get_time", "zone", ZONE)
BALL = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "green"]}, "count": {"type": "integer", "minimum": 1, "maximum": 3}},
    "required": ["colour", "count"],
    "additionalProperties": False,
}
# Grammars take no notice of the `not`, so that a first answer can be wrong.
NOT_THREE = {
    "type": "object",
    "properties": {"words": {"type": "integer"}},
    "required": ["words"],
    "additionalProperties": False,
    "not": {"properties": {"words": {"enum": [1, 3]}}},
}


@dataclass(frozen=True)
class Observed:
    """What came of a check; `detail` is for who reads a failure."""

    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class Check:
    """One row of the table."""

    name: str
    title: str
    run: Callable[[Subject, Asker], str]
    ways: tuple[Way, ...]
    right: frozenset[str] = frozenset()
    """Codes of errors that are the right answer."""

    def observe(self, subject: Subject, client: Client, way: Way) -> Observed:
        """Ask a server. Raises `AssertionError` where an answer breaks what holds for all answers."""
        with Asker(client, way) as ask:
            try:
                return Observed(self.run(subject, ask))
            except TransportError as error:
                return Observed(WORKS if error.code in self.right else error.code, f"{type(error).__name__}: {error}")


CHECKS: dict[str, Check] = {}


def check(
    title: str, *, ways: tuple[Way, ...] = WHOLE_AND_STREAM, right: Sequence[str] = ()
) -> Callable[[Callable[[Subject, Asker], str]], Callable[[Subject, Asker], str]]:
    """A function as a check, named like it."""

    def keep(run: Callable[[Subject, Asker], str]) -> Callable[[Subject, Asker], str]:
        CHECKS[run.__name__] = Check(run.__name__, title, run, ways, frozenset(right))
        return run

    return keep


def said(text: str, **more: Any) -> ChatRequest:
    """One message of a user."""
    return ChatRequest(messages=({"role": "user", "content": text},), **{"max_tokens": 16, "seed": 1, **more})


# Chats


@check("a plain answer")
def text(subject: Subject, ask: Asker) -> str:
    result = ask.chat(subject.chat, said("What is the capital of France?"))
    assert result.model == "the-entry"
    assert [row.outcome for row in result.attempts] == ["ok"]
    return WORKS if result.text and result.finish_reason in ("stop", "length") else WRONG


@check("tokens are counted")
def usage(subject: Subject, ask: Asker) -> str:
    result = ask.chat(subject.chat, said("What is the capital of France?"))
    counted = (result.usage.tokens_in, result.usage.tokens_out)
    if None in counted:
        assert result.usd is None
        return IGNORED
    assert result.usd == "0"
    return WORKS if 0 < (counted[0] or 0) < 100 and 0 < (counted[1] or 0) <= 16 else WRONG


@check("`max_tokens` ends it with `length`")
def max_tokens(subject: Subject, ask: Asker) -> str:
    result = ask.chat(subject.chat, said("What is the capital of France?", max_tokens=2))
    return WORKS if result.finish_reason == "length" and result.usage.tokens_out in (None, 2) else WRONG


@check("a stop word ends it with `stop`")
def stop(subject: Subject, ask: Asker) -> str:
    request = said("What is the capital of France?")
    whole = ask.chat(subject.chat, request).text
    word = next(letter for place, letter in enumerate(whole) if letter.isalnum() and 3 <= place == whole.index(letter))
    result = ask.chat(subject.chat, replace(request, stop=(word,)))
    if result.text == whole:
        return IGNORED
    return WORKS if result.finish_reason == "stop" and result.text == whole.partition(word)[0] else WRONG


@check("`seed` repeats an answer")
def seed(subject: Subject, ask: Asker) -> str:
    one, again, other = (
        ask.chat(subject.chat, said("Tell me a long story", seed=number, max_tokens=12)).text for number in (1, 1, 2)
    )
    return WORKS if one == again != other else IGNORED


@check("a conversation with a system message")
def conversation(subject: Subject, ask: Asker) -> str:
    last = {"role": "user", "content": "And of Italy?"}
    before = (
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "What is the capital of France?"},
        {"role": "assistant", "content": "Paris."},
    )
    short = ask.chat(subject.chat, ChatRequest(messages=(last,), max_tokens=4))
    result = ask.chat(subject.chat, ChatRequest(messages=(*before, last), max_tokens=4))
    counts = (short.usage.tokens_in, result.usage.tokens_in)
    read = None in counts or (counts[0] or 0) + 5 < (counts[1] or 0)
    return WORKS if result.text and read else IGNORED


@check("text beyond ASCII, both ways")
def unicode(subject: Subject, ask: Asker) -> str:
    result = ask.chat(subject.script, subject.beyond_ascii)
    if subject.fake is not None:
        assert subject.fake.seen[-1].body["messages"] == list(subject.beyond_ascii.messages)
    return WORKS if UNICODE in (result.text, (result.parsed or {}).get("text")) else WRONG


@check("reasoning apart from the answer")
def reasoning(subject: Subject, ask: Asker) -> str:
    result = ask.chat(subject.thinking, said("Why is a zebra striped?", max_tokens=60))
    if not result.reasoning:
        return IGNORED
    if subject.fake is None:
        assert result.reasoning.strip() == THOUGHT
    return WORKS if result.text and result.reasoning not in result.text else WRONG


@check("`logprobs`")
def logprobs(subject: Subject, ask: Asker) -> str:
    result = ask.chat(subject.chat, said("What is the capital of France?", max_tokens=6, logprobs=True, top_logprobs=2))
    if not result.logprobs:
        return IGNORED
    told = "".join(token["token"] for token in result.logprobs)
    likely = all(token["logprob"] <= 0 and len(token["top_logprobs"]) == 2 for token in result.logprobs)
    return WORKS if likely and told == result.text else WRONG


# Tools


def _calls(result: ChatResult, *names: str) -> bool:
    """Whether these were called, with arguments that fit, and nothing else."""
    fields = {"get_weather": ("city", CITY["enum"]), "get_time": ("zone", ZONE["enum"])}

    def fits(call: ToolCall) -> bool:
        field, values = fields.get(call.name, ("", []))
        return isinstance(call.arguments, dict) and list(call.arguments) == [field] and call.arguments[field] in values

    ids = [call.id for call in result.tool_calls]
    assert all(ids)
    return (
        [call.name for call in result.tool_calls] == list(names)
        and all(map(fits, result.tool_calls))
        and len(set(ids)) == len(ids)
        and result.finish_reason == "tool_calls"
    )


def _called(result: ChatResult, *names: str) -> str:
    if not result.tool_calls:
        return IGNORED
    return WORKS if _calls(result, *names) else WRONG


ONE_CITY, TWO_CITIES = "What is the weather in Paris?", "What is the weather in Paris and Oslo?"


@check("a tool call of the model's own accord")
def tool_auto(subject: Subject, ask: Asker) -> str:
    return _called(ask.chat(subject.script, said(ONE_CITY, max_tokens=60, tools=(WEATHER,))), "get_weather")


@check("`tool_choice: required`")
def tool_required(subject: Subject, ask: Asker) -> str:
    request = said("hi", max_tokens=150, tools=(WEATHER,), tool_choice="required", parallel_tool_calls=False)
    return _called(ask.chat(subject.script, request), "get_weather")


@check("`tool_choice` names a tool")
def tool_named(subject: Subject, ask: Asker) -> str:
    named = {"type": "function", "function": {"name": "get_time"}}
    request = said("hi", max_tokens=150, tools=(WEATHER, TIME), tool_choice=named, parallel_tool_calls=False)
    return _called(ask.chat(subject.script, request), "get_time")


@check("`tool_choice: none`")
def tool_none(subject: Subject, ask: Asker) -> str:
    result = ask.chat(subject.script, said(ONE_CITY, max_tokens=60, tools=(WEATHER,), tool_choice="none"))
    return IGNORED if result.tool_calls else WORKS


@check("two calls in one answer")
def tool_twice(subject: Subject, ask: Asker) -> str:
    request = said(TWO_CITIES, max_tokens=60, tools=(WEATHER,))
    return _called(ask.chat(subject.script, request), "get_weather", "get_weather")


@check("`parallel_tool_calls: false`")
def tool_once(subject: Subject, ask: Asker) -> str:
    result = ask.chat(subject.script, said(TWO_CITIES, max_tokens=60, tools=(WEATHER,), parallel_tool_calls=False))
    return WORKS if _calls(result, "get_weather") else IGNORED


@check("a conversation with a tool's result")
def tool_result(subject: Subject, ask: Asker) -> str:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    messages = (
        {"role": "user", "content": ONE_CITY},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "Sunny, 21 degrees"},
    )
    result = ask.chat(subject.script, ChatRequest(messages=messages, max_tokens=16, tools=(WEATHER,)))
    return WORKS if result.text and not result.tool_calls else WRONG


# Structured output


@check("an answer that fits a JSON Schema")
def json_schema(subject: Subject, ask: Asker) -> str:
    request = said("Describe the ball.", max_tokens=80, response_format=json_schema_format(BALL))
    result = ask.chat(subject.chat, request)
    assert result.parsed["colour"] in ("red", "green")
    assert result.parsed["count"] in (1, 2, 3)
    return WORKS


@check("`json_object`")
def json_object(subject: Subject, ask: Asker) -> str:
    request = said("Describe a ball as JSON.", max_tokens=60, response_format={"type": "json_object"})
    result = ask.chat(subject.script, request)
    assert isinstance(result.parsed, dict)
    return WORKS


@check("a wrong answer is sent back and mended", ways=("whole",))
def repair(subject: Subject, ask: Asker) -> str:
    format_ = json_schema_format(NOT_THREE)
    request = said("Count the words of this.", max_tokens=60, response_format=format_, repairs=1)
    try:
        result = ask.chat(subject.script, request)
    except TransportError as error:
        if subject.fake is not None:
            assert [outcome for _, outcome in error.attempts] == ["schema_mismatch"] * 2
        raise
    assert [row.outcome for row in ask.rows] == ["schema_mismatch", "ok"]
    return WORKS if result.parsed == {"words": 2} else WRONG


# Embeddings


def _close(one: Sequence[float], other: Sequence[float], tolerance: float = 1e-3) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


@check("embeddings", ways=("whole",))
def embed(subject: Subject, ask: Asker) -> str:
    one, other = ask.embed(subject.embeddings, EmbeddingRequest(TEXTS[:2])).vectors
    assert len(one) == len(other) > 8
    return WORKS if all(map(math.isfinite, one)) and not _close(one, other) else WRONG


@check("embeddings in base64 are the same", ways=("whole",))
def embed_base64(subject: Subject, ask: Asker) -> str:
    plain = ask.embed(subject.embeddings, EmbeddingRequest(TEXTS[:2])).vectors
    packed = ask.embed(subject.embeddings, EmbeddingRequest(TEXTS[:2], encoding="base64")).vectors
    return WORKS if all(map(_close, plain, packed)) else WRONG


@check("`dimensions`", ways=("whole",))
def embed_dimensions(subject: Subject, ask: Asker) -> str:
    full = ask.embed(subject.embeddings, EmbeddingRequest(TEXTS[:1])).dimensions
    short = ask.embed(subject.embeddings, EmbeddingRequest(TEXTS[:1], dimensions=8)).dimensions
    return WORKS if short == 8 else IGNORED if short == full else WRONG


@check("embeddings keep their order over batches", ways=("whole",))
def embed_order(subject: Subject, ask: Asker) -> str:
    result = ask.embed(subject.embeddings, EmbeddingRequest(TEXTS, batch_size=2))
    assert len(result.attempts) == 3
    alone = [ask.embed(subject.embeddings, EmbeddingRequest((one,))).vectors[0] for one in TEXTS]
    return WORKS if len(result.vectors) == len(TEXTS) and all(map(_close, result.vectors, alone)) else WRONG


@check("tokens of embeddings are counted", ways=("whole",))
def embed_usage(subject: Subject, ask: Asker) -> str:
    return WORKS if ask.embed(subject.embeddings, EmbeddingRequest(TEXTS)).usage.tokens_in else IGNORED


# Errors


@check("a model that is not there: `model_not_found`", right=("model_not_found",))
def unknown_model(subject: Subject, ask: Asker) -> str:
    ask.chat(subject.chat.with_model("no-such-model"), said("hi", max_tokens=4))
    return IGNORED


@check("the same for embeddings", ways=("whole",), right=("model_not_found",))
def unknown_embedder(subject: Subject, ask: Asker) -> str:
    ask.embed(subject.embeddings.with_model("no-such-model"), EmbeddingRequest(TEXTS[:1]))
    return IGNORED


@check("a prompt that is too long: `context_exceeded`", right=("context_exceeded",))
def too_long(subject: Subject, ask: Asker) -> str:
    result = ask.chat(subject.chat, said(subject.long_prompt))
    return IGNORED if result.text else WRONG


@check("no messages: `bad_request`", right=("bad_request",))
def no_messages(subject: Subject, ask: Asker) -> str:
    ask.chat(subject.chat, ChatRequest(messages=(), max_tokens=4))
    return IGNORED


@check("a message without a role: `bad_request`", right=("bad_request",))
def no_role(subject: Subject, ask: Asker) -> str:
    ask.chat(subject.chat, ChatRequest(messages=({"content": "hi"},), max_tokens=4))
    return IGNORED


@check("a wrong path in `baseUrl`: `protocol`", right=("protocol",))
def wrong_path(subject: Subject, ask: Asker) -> str:
    ask.chat(replace(subject.chat, base_url=f"{subject.chat.base_url}/nope/v1"), said("hi"))
    return WRONG


@check("embeddings of a model without: `bad_request` or `protocol`", ways=("whole",), right=("bad_request", "protocol"))
def no_embeddings(subject: Subject, ask: Asker) -> str:
    ask.embed(subject.no_embeddings, EmbeddingRequest(TEXTS[:1]))
    return WRONG


def _fail_once(subject: Subject, ask: Asker, fault: Fault, code: str) -> list[float] | None:
    """The pauses before an answer that fails once; None where a server cannot be made to fail."""
    if subject.fake is None:
        return None
    subject.fake.inject(fault)
    try:
        ask.chat(subject.chat, said("hi"))
    except TransportError as error:
        assert error.code == code, error.code
        assert error.retry_after == (float(fault.retry_after) if fault.retry_after else None)
    else:
        raise AssertionError("a refusal was taken for an answer")
    subject.fake.inject(fault)
    with sleeps() as pauses:
        result = ask.chat(subject.chat, said("hi"), retry=TWICE)
    assert result.text
    assert [row.outcome for row in result.attempts] == [code, "ok"]
    return pauses


@check("429 with `Retry-After`: asked again after it")
def rate_limit(subject: Subject, ask: Asker) -> str:
    pauses = _fail_once(subject, ask, Fault(status=429, retry_after=f"{RETRY_AFTER:g}"), "rate_limited")
    if pauses is None:
        return NOT_OFFERED
    return WORKS if pauses == [RETRY_AFTER] else WRONG


@check("503: asked again after a pause")
def busy(subject: Subject, ask: Asker) -> str:
    pauses = _fail_once(subject, ask, Fault(status=503), "server_error")
    if pauses is None:
        return NOT_OFFERED
    (pause,) = pauses
    return WORKS if 0 < pause <= TWICE.first_pause else WRONG


@check("a server that loads its model: `server_loading`", right=("server_loading",))
def loading(subject: Subject, ask: Asker) -> str:
    with subject.loading() as target:
        if target is None:
            return NOT_OFFERED
        ask.chat(target, said("hi"))
    return WRONG


# Streams that do not come to their end


def _cut(ask: Asker, target: Target, request: ChatRequest, kill: Callable[[], None]) -> str:
    texts = 0

    def count(event: Any) -> None:
        nonlocal texts
        assert not isinstance(event, Finished), "a cut stream was taken for an answer"
        texts += isinstance(event, TextDelta)
        if texts == 1:
            kill()

    try:
        ask.events(target, request, seen=count)
    except TransportError as error:
        assert error.code in ("stream_cut", "connection"), error.code
        assert texts
        assert ask.rows[-1].outcome == error.code
        return WORKS
    raise AssertionError("a cut stream ended without an error")


@check("a server that dies in the middle: no success", ways=("stream",))
def killed(subject: Subject, ask: Asker) -> str:
    request = said("Tell me a long story", max_tokens=LONG)
    if subject.fake is not None:
        subject.fake.inject(Fault(cut=2))
        return _cut(ask, subject.chat, request, lambda: None)
    with subject.mortal() as (target, kill):
        return _cut(ask, target, request, kill)


@check("a cancelled stream frees the server", ways=("stream",))
def cancel(subject: Subject, ask: Asker) -> str:
    request = said("Tell me a long story", max_tokens=LONG)
    if isinstance(subject, _Played):
        with subject.long_streams() as left:
            assert isinstance(ask.begin_and_cancel(subject.chat, request, waiting=False), TextDelta)
            assert left.wait(WAIT_SECONDS), "the server had to tell a cancelled stream to its end"
    else:
        for _ in range(3):
            assert isinstance(ask.begin_and_cancel(subject.chat, request, waiting=True), TextDelta)
    assert ask.rows[-1].outcome == "cancelled"
    assert ask.chat(subject.chat, said("hi")).text
    return WORKS
