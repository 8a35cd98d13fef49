"""A server whose abilities are the test's."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.fake_runtimes import (
    instance,
)
from tests.support.fake_server import Reply, Seen, sse
from tests.support.fake_server import http as raw_http

WORDS = "The sea is wide and blue, and it is deep and cold."


@dataclass(frozen=True)
class Able:
    """What a server can, by tag and by manner; `stated` is what it says of its context, `served` what it takes."""

    can: frozenset[str]
    stated: int | None = None
    served: int = 10**9
    too_long: str = "refuse"

    def __call__(self, seen: Seen) -> Reply | bytes:
        path = seen.target.removeprefix("/v1")
        if path == "/models":
            stated = {} if self.stated is None else {"max_model_len": self.stated}
            return answer({"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "vllm", **stated}]})
        handlers = {
            "/chat/completions": self.chat,
            "/embeddings": self.embeddings,
            "/completions": self.completions,
            "/rerank": self.rerank,
        }
        return handlers[path](seen.json) if path in handlers else answer({"detail": "Not Found"}, "404 Not Found")

    def chat(self, body: Mapping[str, Any]) -> bytes:
        parts = [part for message in body["messages"] for part in parts_of(message)]
        text = " ".join(part["text"] for part in parts if part["type"] == "text")
        tokens = len(text.split())
        if tokens + body["max_tokens"] > self.served:
            if self.too_long == "refuse":
                return refusal(f"maximum context length is {self.served} tokens")
            tokens = min(tokens, self.served)
        said = WORDS
        for part in parts:
            kind = part["type"]
            if kind == "image_url" and not {"vision", "blind"} & self.can:
                return refusal("image input is not supported")
            if kind == "input_audio" and "audio-in" not in self.can:
                return refusal("audio input is not supported")
            if kind == "image_url":
                said = colour_of(part["image_url"]["url"]) if "vision" in self.can else "It is red."
        message: dict[str, Any] = {"role": "assistant", "content": said}
        form = (body.get("response_format") or {}).get("type")
        if form and "refuses-formats" in self.can:
            return refusal("response_format is not supported")
        if form == "json_schema" and "structured-output" in self.can:
            message["content"] = json.dumps(instance(body["response_format"]["json_schema"]["schema"]))
        if form == "json_object" and "json-mode" in self.can:
            message["content"] = '{"sea": "wide"}'
        if "reasoning" in self.can:
            message["reasoning_content"] = "The user asks. I think."
        if "thinks-aloud" in self.can:
            message["content"] = f"<think>Let me see.</think>{said}"
        if body.get("modalities") and "audio-out" in self.can:
            message["audio"] = {"id": "a", "data": "AAAA"}
        if body.get("tools"):
            if "refuses-tools" in self.can:
                return refusal("this model does not support tools")
            calls = self.calls(body, text)
            message |= {"tool_calls": calls, "content": None} if calls else {}
        finish = "tool_calls" if message.get("tool_calls") else "stop"
        usage = {"prompt_tokens": tokens, "completion_tokens": 12, "total_tokens": tokens + 12}
        if not body.get("stream") or "streaming" not in self.can:
            if body.get("stream") and "refuses-streams" in self.can:
                return refusal("stream is not supported")
            choice = {"index": 0, "message": message, "finish_reason": finish}
            return answer({"object": "chat.completion", "model": "m", "choices": [choice], "usage": usage})
        pieces = [{"delta": {"content": word + " "}, "index": 0} for word in str(message["content"]).split()]
        choices = [*pieces, {"delta": {}, "index": 0, "finish_reason": finish}]
        return sse(b"".join(b"data: %s\n\n" % json.dumps({"choices": [one]}).encode() for one in choices))

    def calls(self, body: Mapping[str, Any], text: str) -> list[dict[str, Any]]:
        if "when-required" in self.can and body.get("tool_choice") != "required":
            return []
        if not {"tool-use", "function-calling", "parallel-tool-calls", "when-required"} & self.can:
            return []
        name = "another_tool" if "another-tool" in self.can else "get_weather"
        arguments = '{"city": "Par' if "unparsable" in self.can else '{"town": 1}' if "misnamed" in self.can else None
        cities = ["Paris", "Rome"] if "parallel-tool-calls" in self.can and "Rome" in text else ["Paris"]
        return [
            {
                "id": f"c{number}",
                "index": number,
                "type": "function",
                "function": {"name": name, "arguments": arguments or json.dumps({"city": city})},
            }
            for number, city in enumerate(cities)
        ]

    def embeddings(self, body: Mapping[str, Any]) -> bytes:
        if "embeddings" not in self.can:
            return answer({"detail": "Not Found"}, "404 Not Found")
        rows = [
            {"index": i, "embedding": [1.0, 2.0 if "constant" in self.can else float(len(text))]}
            for i, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": sum(len(text.split()) for text in body["input"])}
        return answer({"object": "list", "data": rows, "model": "m", "usage": usage})

    def completions(self, body: Mapping[str, Any]) -> bytes:
        if "code-fim" not in self.can:
            return refusal("suffix is not supported")
        return answer({"choices": [{"index": 0, "text": "x * 2", "finish_reason": "stop"}]})

    def rerank(self, body: Mapping[str, Any]) -> bytes:
        if "rerank" not in self.can:
            return answer({"detail": "Not Found"}, "404 Not Found")
        return answer({"results": [{"index": 0, "relevance_score": 0.9}, {"index": 1, "relevance_score": 0.1}]})


def answer(value: Any, status: str = "200 OK", **headers: str) -> bytes:
    return raw_http(json.dumps(value), status, **headers)


def refusal(message: str) -> bytes:
    return answer({"error": {"message": message, "type": "invalid_request_error", "code": 400}}, "400 Bad Request")


def parts_of(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def colour_of(url: str) -> str:
    """What a square of one colour shows, from the first point of its PNG."""
    png = base64.b64decode(url.partition(",")[2])
    at = png.index(b"IDAT")
    length = int.from_bytes(png[at - 4 : at])
    red, _, blue = zlib.decompress(png[at + 4 : at + 4 + length])[1:4]
    return "It is red." if red > blue else "It is blue."


def able(*can: str, **more: Any) -> Able:
    return Able(frozenset(can), **more)


def healthy_then(good: Callable[[Seen], Reply | bytes], bad: Reply | bytes) -> Callable[[Seen], Reply | bytes]:
    """Well until it has been probed, warmed up, and probed again; after that every question gets the same."""
    asked = 0

    def script(seen: Seen) -> Reply | bytes:
        nonlocal asked
        asked += 1
        return good(seen) if asked <= 3 else bad

    return script
