"""How many tokens a prompt may have, before anybody has counted them: an estimate for routing.

Characters / 4, which is near for English and too low for code and most other scripts. A tokenizer would be right for
one model, and which one is what routing is to find out. Where the estimate was too low, the server says that its
context is exceeded, and the next entry is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aldo.transport.chat import ChatRequest

CHARACTERS_PER_TOKEN = 4
TOKENS_PER_IMAGE = 1000


def tokens_of_text(characters: int) -> int:
    """The tokens of so many characters."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def tokens_of_chat(request: ChatRequest) -> int:
    """The tokens of a chat: texts and tool calls of its messages, its tools, the form of its answer, its pictures."""
    characters = images = 0
    for message in request.messages:
        for name, value in message.items():
            if name == "content" and isinstance(value, str):  # nearly every message
                characters += len(value)
            elif name != "role":
                found, pictures = _measured(value)
                characters += found
                images += pictures
    for tool in request.tools:
        characters += len(json.dumps(tool, default=str))
    if request.response_format is not None:
        characters += len(json.dumps(request.response_format, default=dict))
    return tokens_of_text(characters) + images * TOKENS_PER_IMAGE


def _measured(value: Any) -> tuple[int, int]:
    """Characters and pictures."""
    texts = list(_texts(value))
    pictures = sum(text is None for text in texts)
    return sum(len(text) for text in texts if text is not None), pictures


def _texts(value: Any) -> Iterator[str | None]:
    """Every text in it; None for a picture or a sound, whose bytes are no text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        if value.get("type") in ("image_url", "input_audio", "file"):
            yield None
            return
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
