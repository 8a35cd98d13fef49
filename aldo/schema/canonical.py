"""Canonical JSON (keys sorted, no blanks, UTF-8, decimals as plain text) and its digest."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

from aldo.schema.decimals import plain_text


def canonical_json(value: Any) -> str:
    """One text for one value. Decimals become texts, so 0.10 and 0.1 are the same price."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def digest(value: Any) -> str:
    """`sha256:` and the hash of the canonical JSON."""
    import hashlib  # loads OpenSSL

    data = canonical_json(value).encode("utf-8", "surrogatepass")
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_text(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    raise TypeError(f"no canonical form for {type(value).__name__}")
