"""One case put to one model: a stream, for the time to its first token, and a record of what came of it."""

from __future__ import annotations

import datetime
from contextlib import aclosing

import anyio

from aldo.errors import ConnectionFailed, StreamCut, TransportError
from aldo.eval.run.arms import BoundArm, Prepared
from aldo.eval.usage import collected
from aldo.schema.evaluation import SampleKey, SampleRecord
from aldo.schema.suite import Case
from aldo.schema.usage import UsageRow
from aldo.transport import AsyncModelClient, ChatRequest, ChatResult, Finished

_PAUSE = 0.5


def now() -> str:
    """UTC, as in usage rows."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def ask(client: AsyncModelClient, prepared: Prepared, arm: BoundArm, case: Case, key: SampleKey) -> SampleRecord:
    """The record of one answer. What the server or the network does wrong is in it; nothing is raised for that."""
    request = prepared.request(case, key[-1])
    at = now()
    with collected() as rows:
        try:
            result = await answered(client, request, prepared.settings.retries)
        except TransportError as error:
            return _failed(key, at, error, tuple(rows))
        return _answered(key, at, result, tuple(rows))


async def answered(client: AsyncModelClient, request: ChatRequest, retries: int) -> ChatResult:
    """The whole answer. A stream that broke is asked for again, for nobody has seen a part of it yet, and so is a
    server that is not there: it may be starting anew. What else may pass, the client has asked for again itself."""
    for tries in range(retries + 1):
        try:
            async with aclosing(client.stream(request)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        return event.result
        except (StreamCut, ConnectionFailed) as error:
            if tries == retries or (isinstance(error, ConnectionFailed) and not error.refused):
                raise
            await anyio.sleep(_PAUSE * 2**tries)
    raise AssertionError("a stream ends with its result or an error")


def _answered(key: SampleKey, at: str, result: ChatResult, rows: tuple[UsageRow, ...]) -> SampleRecord:
    if result.finish_reason == "content_filter":
        held_back = {"code": "content_filter", "message": "the server held the answer back"}
        return SampleRecord(
            **_named(key), at=at, state="error", error=held_back, finish_reason="content_filter", usage=rows
        )
    return SampleRecord(
        **_named(key),
        at=at,
        state="truncated" if result.finish_reason == "length" else "ok",
        answer=result.text or result.refusal,
        reasoning=result.reasoning,
        refusal=result.refusal,
        tool_calls=tuple({"name": call.name, "arguments": call.arguments} for call in result.tool_calls),
        finish_reason=result.finish_reason,
        usage=rows,
    )


def _failed(key: SampleKey, at: str, error: TransportError, rows: tuple[UsageRow, ...]) -> SampleRecord:
    return SampleRecord(
        **_named(key), at=at, state="error", error={"code": error.code, "message": str(error)}, usage=rows
    )


def _named(key: SampleKey) -> dict[str, str | int]:
    suite_digest, parameters, model, case, repeat = key
    return {
        "suite_digest": suite_digest,
        "parameters": parameters,
        "model": model,
        "case": case,
        "repeat": repeat,
    }
