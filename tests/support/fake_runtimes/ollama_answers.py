"""How Ollama writes answers and errors, and which messages it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.support.fake_runtimes.http_server import Answer, Refused, dumped

OLLAMA_ERROR_TYPES = {400: "invalid_request_error", 404: "not_found_error"}


@dataclass(frozen=True)
class Shape:
    object: str
    prefix: str
    field: Literal["message", "text"]


def native(value: Any, status: int = 200) -> Answer:
    return Answer(status, dumped(value), "application/json; charset=utf-8")


def encoded(value: Any, status: int = 200) -> Answer:
    return Answer(status, dumped(value) + b"\n")


def not_found(name: str) -> str:
    return f"model '{name}' not found"


def ollama_error(status: int, text: str) -> Answer:
    kind = OLLAMA_ERROR_TYPES.get(status, "api_error")
    return encoded({"error": {"message": text, "type": kind, "param": None, "code": None}}, status)


def check_ollama_message(message: Mapping[str, Any]) -> None:
    content = message.get("content")
    if content is None and message.get("tool_calls"):
        return
    if not isinstance(content, str | list):
        kind = "<nil>" if content is None else type(content).__name__
        raise Refused(ollama_error(400, f"invalid message content type: {kind}"))
    for part in content if isinstance(content, list) else ():
        if part.get("type") == "image_url":
            image = part.get("image_url")
            url = image.get("url", "") if isinstance(image, dict) else image
            if not str(url).startswith("data:"):
                raise Refused(ollama_error(400, "invalid image input"))
        elif not isinstance(part.get("text"), str):
            raise Refused(ollama_error(400, "invalid message format"))
