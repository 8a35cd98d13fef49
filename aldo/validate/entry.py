"""An entry as rules see it: every field that is well-formed by itself, whatever is wrong with the others."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from aldo.schema.decimals import plain_text
from aldo.schema.vocabulary import LOCALITIES
from aldo.validate.rule import Path

_NOTHING: Mapping[str, Any] = {}


class Entry:
    """One entry of the file. A field is None where it is absent or malformed; reading has told of the latter."""

    __slots__ = (
        "base_url",
        "capability_class",
        "config",
        "cost",
        "enabled",
        "extra",
        "id",
        "index",
        "kind",
        "locality",
        "path",
        "provides",
        "tiers",
        "value",
    )

    def __init__(self, value: Mapping[str, Any], path: Path, index: int) -> None:
        get = value.get
        self.value: Mapping[str, Any] = value
        self.path: Path = path
        self.index: int = index
        self.id: str | None = _text(get("id"))
        locality = _text(get("locality"))
        self.locality: str | None = locality if locality in LOCALITIES else None
        self.capability_class: str | None = _text(get("capabilityClass"))
        self.provides: tuple[str, ...] = _texts(get("provides"))
        self.tiers: tuple[str, ...] = _texts(get("privacyAllowed"))
        # Both in the order of the file, "" for what is no text: the number of an item is part of its path.
        self.enabled: bool = get("enabled", True) is not False
        cost = get("cost")
        self.cost: Mapping[str, Any] = cost if isinstance(cost, dict) else _NOTHING
        config = get("providerConfig")
        self.config: Mapping[str, Any] = config if isinstance(config, dict) else _NOTHING
        self.kind: str | None = _text(get("providerKind"))
        self.base_url: str | None = _text(self.config.get("baseUrl"))
        extra = self.config.get("extra")
        self.extra: Mapping[str, Any] = extra if isinstance(extra, dict) else _NOTHING

    @property
    def name(self) -> str:
        """The id, or where the entry stands."""
        return self.id or f"entry {self.index + 1}"

    @property
    def deprecation(self) -> tuple[datetime.date | None, str | None]:
        """The last day on which the model is served, and the id of what takes its place."""
        value = self.value.get("deprecation")
        if not isinstance(value, dict):
            return None, None
        return date_of(value.get("date")), _text(value.get("replacement"))

    @property
    def embeds(self) -> bool:
        """Whether it answers with vectors, so that output costs nothing."""
        return self.capability_class == "embeddings" or not {"embeddings", "rerank"}.isdisjoint(self.provides)

    def price(self, field: str) -> float | None:
        """A price in USD per Mtok, as near as a float comes to it."""
        value = self.cost.get(field)
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else None

    def tokens(self, field: str) -> int | None:
        value = self.value.get(field)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

    @property
    def context(self) -> tuple[str, int] | None:
        """What routing counts with: the field and its tokens, the lesser of effective and served context."""
        fields = ("effectiveContextTokens", "servedContextTokens")
        known = [(tokens, field) for field in fields if (tokens := self.tokens(field)) is not None]
        if not known or known[0][1] != fields[0]:
            return None
        tokens, field = min(known, key=lambda pair: pair[0])
        return field, tokens

    def at(self, *parts: str | int) -> Path:
        """The path of something inside the entry."""
        return (*self.path, *parts)


def plain_number(price: float) -> str:
    """A price as one writes it: no exponent."""
    return plain_text(Decimal(repr(float(price))))


def date_of(value: Any) -> datetime.date | None:
    if not isinstance(value, str) or len(value) != len("2026-11-22"):
        return None
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(item if isinstance(item, str) else "" for item in value)
