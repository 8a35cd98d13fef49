"""The answers of a played model as a server would send them, and the failures as the network brings them about."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import httpx

from aldo.transport.fake.script import Asked, Fails, Says, Vectors

_STATUS: Mapping[str, tuple[int, str]] = {
    "rate_limited": (429, "too many requests"),
    "context_exceeded": (400, "the prompt exceeds the maximum context length"),
    "model_not_found": (404, "the model does not exist"),
    "server_loading": (503, "loading model"),
    "bad_request": (400, "that makes no sense"),
    "unauthorized": (401, "the key is wrong"),
    "server_error": (500, "it failed"),
}
"""The status, and the words that servers use for it."""


def failed(failure: Fails, asked: Asked, request: httpx.Request) -> httpx.Response:
    if failure.code == "connection":
        raise httpx.ConnectError("connection refused", request=request) from ConnectionRefusedError()
    if failure.code == "timeout":
        raise httpx.ReadTimeout("timed out", request=request)
    if failure.code == "protocol":
        return httpx.Response(200, content=b"<html>", headers={"content-type": "text/html"})
    if failure.code == "stream_cut":
        return httpx.Response(200, stream=_Cut(_frames(asked, Says("cut"))[:1]), headers=_EVENTS)
    status, message = _STATUS[failure.code]
    headers = {} if failure.retry_after is None else {"retry-after": f"{failure.retry_after:g}"}
    return json_answer(status, {"error": {"message": message, "type": "error", "code": status}}, headers)


_EVENTS = {"content-type": "text/event-stream"}


class _Cut(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose connection breaks."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        raise httpx.ReadError("connection reset")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        raise httpx.ReadError("connection reset")


def json_answer(status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json=value, headers=headers)


def _finish(says: Says) -> str:
    return says.finish_reason or ("tool_calls" if says.tool_calls else "stop")


def _usage(says: Says) -> dict[str, int]:
    return {
        "prompt_tokens": says.tokens_in,
        "completion_tokens": says.tokens_out,
        "total_tokens": says.tokens_in + says.tokens_out,
    }


def _calls(says: Says) -> list[dict[str, Any]]:
    return [
        {
            "index": place,
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
        }
        for place, call in enumerate(says.tool_calls)
    ]


def _head(asked: Asked, kind: str) -> dict[str, Any]:
    return {"id": "fake", "object": kind, "created": 0, "model": asked.body.get("model", "")}


def whole(asked: Asked, says: Says) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": says.text}
    if says.reasoning:
        message["reasoning_content"] = says.reasoning
    if says.tool_calls:
        message["tool_calls"] = _calls(says)
    choice = {"index": 0, "message": message, "finish_reason": _finish(says)}
    return {**_head(asked, "chat.completion"), "choices": [choice], "usage": _usage(says)}


def streamed(asked: Asked, says: Says) -> httpx.Response:
    return httpx.Response(200, content=b"".join(_frames(asked, says)), headers=_EVENTS)


def _frames(asked: Asked, says: Says) -> list[bytes]:
    """The stream: reasoning, the text word by word, the calls, the end, the tokens."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if says.reasoning:
        deltas.append({"reasoning_content": says.reasoning})
    deltas += [{"content": word} for word in says.text.replace(" ", " \x00").split("\x00") if word]
    if says.tool_calls:
        deltas.append({"tool_calls": _calls(says)})
    ends: list[str | None] = [*(None for _ in deltas), _finish(says)]
    choices = [{"index": 0, "delta": d, "finish_reason": end} for d, end in zip([*deltas, {}], ends, strict=True)]
    head = _head(asked, "chat.completion.chunk")
    chunks: list[Mapping[str, Any]] = [{**head, "choices": [choice]} for choice in choices]
    chunks.append({**head, "choices": [], "usage": _usage(says)})
    return [*(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n"]


def embeddings(asked: Asked, answer: str | Says | Vectors) -> dict[str, Any]:
    texts = asked.body["input"]
    texts = [texts] if isinstance(texts, str) else texts
    vectors = answer.vectors if isinstance(answer, Vectors) else tuple(_vector(text) for text in texts)
    data = [{"object": "embedding", "index": place, "embedding": list(one)} for place, one in enumerate(vectors)]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "model": asked.body.get("model", ""), "data": data, "usage": usage}


def _vector(text: str) -> tuple[float, ...]:
    """Eight numbers between -1 and 1: the same text, the same vector."""
    return tuple(byte / 127.5 - 1 for byte in sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])
