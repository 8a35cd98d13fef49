"""Reading what a server sent, piece by piece: anything may be missing, null, or something else altogether."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aldo.errors import ProtocolError


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """The JSON object, empty for a null. Raises `ProtocolError` for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ProtocolError(f"{what} is no JSON object")
    return value


def sequence(value: Any, what: str) -> list[Any]:
    """The JSON list, empty for a null. Raises `ProtocolError` for anything else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ProtocolError(f"{what} is no list")
    return value


def text(value: Any) -> str:
    """The text, empty for anything else."""
    return value if isinstance(value, str) else ""


_MOST_TOKENS = 10**10


def count(value: Any) -> int | None:
    """A count of tokens; None for anything that is none, and for what no server can have counted."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS
    return value if is_count else None
