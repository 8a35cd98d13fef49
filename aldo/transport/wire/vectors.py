"""The answer to an embedding: vectors as lists of numbers or as base64, in any order, of one length."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping
from math import isfinite
from typing import Any

from aldo.errors import ProtocolError
from aldo.transport.chat import Usage
from aldo.transport.wire.accumulate import usage_of
from aldo.transport.wire.faults import error_in_body
from aldo.transport.wire.read import mapping, sequence, text

Vector = tuple[float, ...]


def vectors_of(answer: Any, wanted: int) -> tuple[list[Vector], Usage, str | None]:
    """The vectors in the order of the inputs, the tokens, and the model that the server names.

    Raises `ProtocolError` where there is not exactly one vector an input, or their lengths differ.
    """
    if not isinstance(answer, Mapping):
        raise ProtocolError("the server sent no JSON object where embeddings belong")
    if answer.get("error"):
        raise error_in_body(answer)
    items = [mapping(item, "an embedding") for item in sequence(answer.get("data"), "data")]
    if len(items) != wanted:
        raise ProtocolError(f"the server sent {len(items)} embeddings for {wanted} texts")
    items = _in_order(items)
    vectors = [_vector(item.get("embedding")) for item in items]
    if len({len(vector) for vector in vectors}) != 1:
        raise ProtocolError("the server sent embeddings of different lengths")
    usage = usage_of(answer.get("usage"))
    # Nothing is generated, and most servers leave that count out.
    return vectors, Usage(usage.tokens_in, usage.tokens_out or 0), text(answer.get("model")) or None


def _in_order(items: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By their indices. Where all are alike they say nothing; else they must give each text one vector."""
    places = [item.get("index") for item in items]
    if all(place == places[0] and type(place) is type(places[0]) for place in places):
        return items
    if not all(type(place) is int for place in places) or set(places) != set(range(len(items))):
        raise ProtocolError("the indices of the embeddings give a text none, or more than one")
    return sorted(items, key=lambda item: int(item["index"]))


def _vector(value: Any) -> Vector:
    vector = _packed(value) if isinstance(value, str) else _listed(value)
    if not vector or not all(map(isfinite, vector)):
        raise ProtocolError("an embedding is empty, or holds something that is no finite number")
    return vector


def _listed(value: Any) -> Vector:
    if not isinstance(value, list) or not all(type(number) in (int, float) for number in value):
        raise ProtocolError("an embedding is neither a list of numbers nor base64")
    try:
        return tuple(map(float, value))
    except OverflowError:
        raise ProtocolError("an embedding holds a number that is too large") from None


def _packed(value: str) -> Vector:
    """Little-endian numbers of 32 bits."""
    try:
        data = base64.b64decode(value, validate=True)
        return struct.unpack(f"<{len(data) // 4}f", data)
    except (binascii.Error, ValueError, struct.error):
        raise ProtocolError("an embedding is no base64 of 32-bit numbers") from None
