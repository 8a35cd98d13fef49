"""Keeps prompts, keys and header values out of what servers say: they like to echo what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_MARK = "[withheld]"
_KEY_PIECE = 6  # characters of a key that an error may not hold in a row
_PROMPT_PIECE = 12  # the same for a prompt; shorter runs are words that an error may hold by itself
_SHORTEST_PROMPT = 8  # a prompt this short is withheld only as a whole


class Redactor:
    """Takes what a server said and gives it without any longer piece of what was sent to it."""

    def __init__(self, texts: Iterable[str], headers: Mapping[str, str]) -> None:
        self._secrets: list[tuple[str, int]] = []
        for name, value in headers.items():
            if name == "accept":
                continue  # ours, and no secret
            key = value.removeprefix("Bearer ").strip()
            self._keep_out(key, _KEY_PIECE)
        for text in texts:
            self._keep_out(text.strip(), _PROMPT_PIECE)

    def _keep_out(self, secret: str, piece: int) -> None:
        for text in {secret, " ".join(secret.split())}:  # messages are told with white space folded
            self._keep_out_forms(text, piece)

    def _keep_out_forms(self, secret: str, piece: int) -> None:
        """As it is, and as JSON writes it with and without escapes for other scripts."""
        for form in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
            if len(form) >= min(piece, _SHORTEST_PROMPT):
                self._secrets.append((form, min(piece, len(form))))

    def __call__(self, message: str) -> str:
        kept: list[str] = []
        at = 0
        while at < len(message):
            run = max((_run(message, at, *secret) for secret in self._secrets), default=0)
            kept.append(_MARK if run else message[at])
            at += run or 1
        return "".join(kept)


def _run(message: str, at: int, secret: str, piece: int) -> int:
    """How many characters from `at` on occur in the secret in a row; 0 where fewer than `piece`."""
    end = at + piece
    if end > len(message) or message[at:end] not in secret:
        return 0
    while end < len(message) and message[at : end + 1] in secret:
        end += 1
    return end - at


def said_in(messages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """All that the messages of a chat say."""
    for message in messages:
        yield from _contents(message)


def _contents(message: Mapping[str, Any]) -> Iterator[str]:
    """What a message says: its content, the texts of its parts, the arguments of its tool calls."""
    content = message.get("content")
    if isinstance(content, str):
        yield content
    elif isinstance(content, (list, tuple)):
        yield from (str(part["text"]) for part in content if isinstance(part, Mapping) and "text" in part)
    for call in message.get("tool_calls") or ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            yield str(function.get("arguments", ""))
