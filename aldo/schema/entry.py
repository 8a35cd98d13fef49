"""A catalog entry: one model as one place serves it, with what may be sent there and what it costs."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, PlainSerializer
from pydantic_core import PydanticCustomError

from aldo.schema.base import NAME_PATTERN, Frozen, Name, Text, Whole
from aldo.schema.frozen import FrozenMap, frozen, thawed
from aldo.schema.money import Price
from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES, Locality, PrivacyTier

Tokens = Annotated[int, Field(ge=1, le=10**12), Whole]
"""A count of tokens, at least one."""


def _suggest(names: tuple[str, ...]) -> dict[str, Any]:
    """A JSON Schema that completes the built-in names in an editor and still admits others."""
    return {"anyOf": [{"enum": list(names)}, {"type": "string", "pattern": NAME_PATTERN}]}


CapabilityClass = Annotated[Name, Field(json_schema_extra=_suggest(CAPABILITY_CLASSES))]
Capability = Annotated[Name, Field(json_schema_extra=_suggest(CAPABILITIES))]


def _iso_date(value: Any) -> Any:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError(
                "no_such_day", "must be a day of the calendar: {day} is none", {"day": value}
            ) from None
    raise PydanticCustomError("date_type", "must be a date such as 2026-11-22")


Date = Annotated[datetime.date, BeforeValidator(_iso_date)]
"""A calendar day, written YYYY-MM-DD."""


class Cost(Frozen):
    """List prices in USD per million tokens (Mtok). A price that is not known is not a price of 0."""

    usd_per_mtok_in: Price
    """USD per million prompt tokens."""
    usd_per_mtok_out: Price
    """USD per million generated tokens."""
    usd_per_mtok_cache_read: Price | None = None
    """USD per million prompt tokens that the server found in its cache."""
    usd_per_mtok_cache_write: Price | None = None
    """USD per million prompt tokens that the server wrote to its cache."""


class ProviderConfig(Frozen):
    """How to reach the model. Only the transport reads this; the router never sees it."""

    base_url: Text | None = None
    """Where the server listens, with or without `/v1`. Unset: the default of the provider."""
    model: Text | None = None
    """The name sent on the wire. Unset: the entry's id (`mlx`: `default_model`)."""
    api_key_env: Text | None = None
    """The environment variable that holds the key. The key itself never stands in a catalog."""
    headers: Annotated[Mapping[Text, Text], AfterValidator(frozen)] = Field(default_factory=FrozenMap)
    """Extra HTTP headers."""
    extra: Annotated[Mapping[str, JsonValue], AfterValidator(frozen), PlainSerializer(thawed)] = Field(
        default_factory=FrozenMap
    )
    """Knobs of the provider kind (`mlx`: quantization, kvCacheQuantized, draftModel, samplerSeed)."""


class Deprecation(Frozen):
    """When a model goes away, and what to use instead."""

    date: Date
    """The last day it is served."""
    replacement: Name | None = None
    """The id of the entry that takes its place."""


class ModelEntry(Frozen):
    """One model as one place serves it."""

    id: Name
    """The name by which everything else refers to this entry."""
    provider: Name
    """Who runs it: mlx, ollama, vllm, openai, … Usage rows carry it; routing does not see it."""
    provider_kind: Name
    """The transport that speaks to it: `mlx`, `openai-compat`, or one that a plugin brings."""
    locality: Locality
    """`local`: this machine. `on-prem`: your own network. `cloud`: somebody else's."""
    capability_class: CapabilityClass
    """What agents ask for instead of a vendor's model."""
    provides: Annotated[tuple[Capability, ...], Field(min_length=1)]
    """Capability tags that a request may require."""
    privacy_allowed: Annotated[tuple[PrivacyTier, ...], Field(min_length=1)]
    """The privacy tiers whose requests this model may see."""
    effective_context_tokens: Tokens
    """Prompt and answer together, as far as the model stays useful."""
    cost: Cost
    provider_config: ProviderConfig = Field(default_factory=ProviderConfig.model_construct)
    description: Text | None = None
    max_output_tokens: Tokens | None = None
    """The longest answer it gives, in tokens."""
    latency_p95_ms: Annotated[float, Field(ge=0, le=1e9, strict=True, allow_inf_nan=False)] | None = Field(
        default=None, alias="latencyP95Ms"
    )
    """95th percentile of the time to a whole answer, in milliseconds."""
    enabled: Annotated[bool, Field(strict=True)] = True
    served_context_tokens: Tokens | None = None
    """What the server was started with, where that is less than the model could."""
    as_of: Date | None = None
    """The day on which the prices and limits were true."""
    source: Annotated[Text, Field(pattern=r"^https?://\S+$")] | None = None
    """The page that says so."""
    deprecation: Deprecation | None = None

    @property
    def context_tokens(self) -> int:
        """What routing counts with: the lesser of effective and served context."""
        served = self.served_context_tokens
        return self.effective_context_tokens if served is None else min(self.effective_context_tokens, served)
