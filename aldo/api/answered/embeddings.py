"""Embeddings in OpenAI's shape."""

from __future__ import annotations

import base64
import struct
from typing import Any, Literal

from aldo.errors import ProtocolError
from aldo.transport.embedding import EmbeddingResult


def embeddings(result: EmbeddingResult, encoding: Literal["float", "base64"]) -> dict[str, Any]:
    """One item a text, in the order of the texts."""
    tokens = result.usage.tokens_in or 0
    items = [
        {"object": "embedding", "index": place, "embedding": _packed(vector) if encoding == "base64" else vector}
        for place, vector in enumerate(result.vectors)
    ]
    return {
        "object": "list",
        "data": items,
        "model": result.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _packed(vector: tuple[float, ...]) -> str:
    """Little-endian numbers of 32 bits: what OpenAI's SDKs ask for unless told otherwise."""
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
    except OverflowError:
        raise ProtocolError("an embedding holds a number that 32 bits cannot") from None
