"""One check a claim: a small real request, and what its answer says of the claim.

A check is handed what it needs to ask and gives a `Claim`. What no request can tell is said to be unclear.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aldo.errors import BadRequest, SchemaMismatch, ToolCallUnparsable, TransportError
from aldo.transport.audit.claims import Claim, confirmed, refuted, says_nothing, unclear
from aldo.transport.audit.pictures import picture, silence
from aldo.transport.audit.subject import Subject
from aldo.transport.chat import ChatRequest, ChatResult, ReasoningDelta, TextDelta, json_schema_format
from aldo.transport.embedding import EmbeddingRequest

_CUT = "its tokens were used up before an answer"
_LONG_PIECE = 20
"""Characters that no server sends at once that sends words as they come."""

Check = Callable[[Subject, str], Claim]

_WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
# Words that no model says unless something makes it.
_SECRET = {
    "type": "object",
    "properties": {"zq": {"enum": ["vx-17"]}},
    "required": ["zq"],
    "additionalProperties": False,
}


def asking(text: str, **more: Any) -> ChatRequest:
    """A small chat, as repeatable as servers can make it."""
    return ChatRequest(
        ({"role": "user", "content": text},), **{"max_tokens": 64, "temperature": 0.0, "seed": 1, **more}
    )


def streaming(subject: Subject, claim: str) -> Claim:
    pieces = [
        event.text
        for event in subject.client.stream(asking("Count from one to ten.", max_tokens=32))
        if isinstance(event, (TextDelta, ReasoningDelta))
    ]
    if len(pieces) > 1:
        return confirmed(claim, f"the answer came in {len(pieces)} pieces")
    if len("".join(pieces)) >= _LONG_PIECE:
        return refuted(claim, "a whole answer came in one piece")
    return unclear(claim, "the answer was too short to tell")


def tools(subject: Subject, claim: str) -> Claim:
    """Asked plainly first, then with `tool_choice: required`, which many servers enforce."""
    failures: list[str] = []
    cut = False
    for choice in ("auto", "required"):
        prompt = "What is the weather in Paris? Call get_weather."
        found = _called(subject, asking(prompt, max_tokens=256, tools=(_WEATHER,), tool_choice=choice))
        if isinstance(found, str):
            failures.append(f"tool_choice {choice}: {found}")
        elif found:
            return confirmed(claim, f"called {found[0]} with tool_choice {choice}")
        else:
            cut = cut or found is None
            failures.append(f"tool_choice {choice}: {_CUT if found is None else 'no call'}")
    return unclear(claim, "; ".join(failures)) if cut else refuted(claim, "; ".join(failures))


def parallel_tools(subject: Subject, claim: str) -> Claim:
    prompt = "What is the weather in Paris and in Rome? Call get_weather once for each city, both at once."
    found = _called(subject, asking(prompt, max_tokens=256, tools=(_WEATHER,), parallel_tool_calls=True))
    if isinstance(found, str):
        return refuted(claim, found)
    if found is None:
        return unclear(claim, _CUT)
    if len(found) > 1:
        return confirmed(claim, f"{len(found)} calls in one answer")
    return refuted(claim, "one call where two were asked for" if found else "no call")


def _called(subject: Subject, request: ChatRequest) -> list[str] | str | None:
    """The names of well-formed calls, or what went wrong; None for an answer that thinking used up."""
    try:
        result = subject.client.chat(request)
        calls = result.tool_calls
    except ToolCallUnparsable:
        return "its call cannot be read"
    except TransportError as error:
        if says_nothing(error):
            raise
        return _said(error)
    if _used_up(result):
        return None
    return [call.name for call in calls if call.name == "get_weather" and isinstance(call.arguments.get("city"), str)]


def _used_up(result: ChatResult) -> bool:
    """Whether a model was still thinking when its tokens were used up."""
    return result.finish_reason == "length" and not result.text.strip() and not result.tool_calls


def structured(subject: Subject, claim: str) -> Claim:
    """The schema asks for what the prompt does not speak of: only a server that enforces it gets it right."""
    try:
        form = json_schema_format(_SECRET)
        subject.chat_without_words(asking("Tell me about the sea.", max_tokens=128, response_format=form))
    except SchemaMismatch as mismatch:
        if _used_up(mismatch.result):
            return unclear(claim, _CUT)
        if mismatch.result.finish_reason == "length" and mismatch.result.text.lstrip().startswith("{"):
            return unclear(claim, "the answer was cut before its JSON ended")
        return refuted(claim, f"response_format had no effect: {mismatch.args[0]}")
    return confirmed(claim, "the answer had the form that only the schema knew")


def json_mode(subject: Subject, claim: str) -> Claim:
    prompt = "Write one plain English sentence about the sea. Do not write JSON."
    try:
        subject.chat_without_words(asking(prompt, max_tokens=128, response_format={"type": "json_object"}))
    except SchemaMismatch as mismatch:
        if _used_up(mismatch.result):
            return unclear(claim, _CUT)
        if mismatch.result.finish_reason == "length" and mismatch.result.text.lstrip().startswith("{"):
            return confirmed(claim, "the answer began as a JSON object, and was cut")
        return refuted(claim, f"response_format had no effect: {mismatch.args[0]}")
    return confirmed(claim, "the answer was JSON where the prompt asked for prose")


def reasoning(subject: Subject, claim: str) -> Claim:
    result = subject.client.chat(
        asking("A train takes 3 hours for 210 km. How fast is it? Think first.", max_tokens=512)
    )
    if result.reasoning:
        return confirmed(claim, f"{len(result.reasoning)} characters of reasoning came apart from the answer")
    if "<think>" in result.text:
        return confirmed(claim, "the reasoning stands in the answer, between <think> tags")
    return refuted(claim, "no reasoning came")


def vision(subject: Subject, claim: str) -> Claim:
    for colour, url in (("red", picture(255, 0, 0)), ("blue", picture(0, 0, 255))):
        content = [
            {"type": "text", "text": "Which colour is this picture? Answer with one word."},
            {"type": "image_url", "image_url": {"url": url}},
        ]
        result = _said_or_refused(
            subject, ChatRequest(({"role": "user", "content": content},), max_tokens=64, temperature=0.0)
        )
        if isinstance(result, str):
            return refuted(claim, result)
        if _used_up(result) and colour not in result.reasoning.lower():
            return unclear(claim, _CUT)
        if colour not in f"{result.text} {result.reasoning}".lower():
            return refuted(claim, f"it did not say that a {colour} picture is {colour}")
    return confirmed(claim, "it told a red picture from a blue one")


def audio_in(subject: Subject, claim: str) -> Claim:
    content = [
        {"type": "text", "text": "What do you hear?"},
        {"type": "input_audio", "input_audio": {"data": silence(), "format": "wav"}},
    ]
    result = _said_or_refused(subject, ChatRequest(({"role": "user", "content": content},), max_tokens=32))
    if isinstance(result, str):
        return refuted(claim, result)
    return unclear(claim, "a sound was accepted; whether it was heard cannot be told from silence")


def audio_out(subject: Subject, claim: str) -> Claim:
    body = {"messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 64, "modalities": ["text", "audio"],
            "audio": {"voice": "alloy", "format": "wav"}}  # fmt: skip
    status, value = subject.post("/chat/completions", body)
    message = _first(value).get("message")
    audio = message.get("audio") if isinstance(message, Mapping) else None
    return confirmed(claim, "a sound came back") if audio else refuted(claim, f"no sound came back ({status})")


def fill_in(subject: Subject, claim: str) -> Claim:
    body = {"prompt": "def double(x):\n    return ", "suffix": "\n\nassert double(21) == 42\n", "max_tokens": 16}
    status, value = subject.post("/completions", body)
    if status != 200 or not isinstance(_first(value).get("text"), str):
        return refuted(claim, f"/completions with a suffix answered {status}")
    return unclear(claim, "a suffix was accepted; whether it was read cannot be told from outside")


def embeddings(subject: Subject, claim: str) -> Claim:
    try:
        result = subject.client.embed(EmbeddingRequest(("The sea is wide.", "Two plus two is four.")))
    except TransportError as error:
        if says_nothing(error):
            raise
        return refuted(claim, _said(error))
    if result.vectors[0] == result.vectors[1]:
        return refuted(claim, "two different texts have the same vector")
    stated = subject.served.dimensions if subject.served else None
    told = ", as the server says of itself" if stated == result.dimensions else ""
    if stated not in (None, result.dimensions):
        return unclear(claim, f"{result.dimensions} dimensions, but the server says {stated}")
    return confirmed(claim, f"{result.dimensions} dimensions{told}")


def rerank(subject: Subject, claim: str) -> Claim:
    body = {"query": "What is the sea?", "documents": ["The sea is water.", "Two plus two is four."]}
    status, value = subject.post("/rerank", body)
    ranked = value.get("results") if isinstance(value, Mapping) else None
    if status == 200 and isinstance(ranked, list) and len(ranked) == 2:
        return confirmed(claim, "two documents were ranked")
    return refuted(claim, f"/rerank answered {status}")


def judgement(subject: Subject, claim: str) -> Claim:
    return unclear(claim, "a judgement of quality: aldo eval can tell, a request cannot")


def too_long_to_ask(subject: Subject, claim: str) -> Claim:
    return unclear(claim, "an answer that long takes minutes; it was not asked for")


CHECKS: dict[str, Check] = {
    "streaming": streaming,
    "tool-use": tools,
    "function-calling": tools,
    "parallel-tool-calls": parallel_tools,
    "json-mode": json_mode,
    "structured-output": structured,
    "constrained-decoding": structured,
    "reasoning": reasoning,
    "extended-thinking": reasoning,
    "vision": vision,
    "audio-in": audio_in,
    "audio-out": audio_out,
    "code-fim": fill_in,
    "embeddings": embeddings,
    "rerank": rerank,
    "long-output": too_long_to_ask,
    "coding-frontier": judgement,
}


def checked(subject: Subject, claim: str, done: Mapping[str, Claim]) -> Claim:
    """One claim. What another tag of the same check came to, in `done`, holds for this one too."""
    check = CHECKS.get(claim)
    if check is None:
        return unclear(claim, "a tag of the catalog's own vocabulary: aldo does not know what to ask")
    for name, other in done.items():
        if CHECKS.get(name) is check:
            return other._replace(name=claim)
    try:
        return check(subject, claim)
    except TransportError as error:
        if says_nothing(error):
            return unclear(claim, f"could not be asked: {_said(error)}")
        return refuted(claim, _said(error))


def _said_or_refused(subject: Subject, request: ChatRequest) -> ChatResult | str:
    try:
        return subject.client.chat(request)
    except TransportError as error:
        if says_nothing(error):
            raise
        return _said(error)


def _said(error: TransportError) -> str:
    """The error in short; a refusal of the server in its own words."""
    return error.said if isinstance(error, BadRequest) and error.said else str(error)


def _first(value: Any) -> Mapping[str, Any]:
    choices = value.get("choices") if isinstance(value, Mapping) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, Mapping) else {}
