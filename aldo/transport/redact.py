"""Keeps prompts, keys and header values out of error messages: servers like to echo what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aldo.transport.chat import ChatRequest

_MARK = b"[withheld]"
_SHORTEST_KEY = 4
_SHORTEST_PROMPT = 8  # shorter ones are words that an error message may hold by itself


class Redactor:
    """Takes the bytes of a server's error and gives them without what was sent."""

    def __init__(self, request: ChatRequest, headers: Mapping[str, str]) -> None:
        keys = [value.removeprefix("Bearer ") for value in headers.values()]
        secrets = [key for key in keys if len(key) >= _SHORTEST_KEY]
        secrets += [text for text in _texts(request.messages) if len(text) >= _SHORTEST_PROMPT]
        self._patterns = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)

    def __call__(self, body: bytes) -> bytes:
        for pattern in self._patterns:
            body = body.replace(pattern, _MARK)
        return body


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield value.strip()
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _forms(secret: str) -> Iterator[bytes]:
    """As it is, and as JSON writes it with and without escapes for other scripts."""
    for text in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text.encode("utf-8", "surrogatepass")
