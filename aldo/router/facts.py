"""What routing may know of an entry. Provider, provider kind and provider config are not here."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from aldo.schema.decimals import WrittenFloat, pico_per_token
from aldo.schema.vocabulary import Locality

if TYPE_CHECKING:
    from aldo.schema.entry import ModelEntry


class Facts(NamedTuple):
    """The routing facts of one entry. Prices are 10⁻¹² USD per token."""

    id: str
    capability_class: str
    provides: frozenset[str]
    privacy_allowed: frozenset[str]
    locality: Locality
    context_tokens: int
    max_output_tokens: int | None
    pico_in: int
    pico_out: int
    latency_p95_ms: float | None
    enabled: bool

    def cost(self, tokens_in: int, tokens_out: int) -> int:
        """The cost of a request of these sizes in 10⁻¹² USD, exact."""
        return tokens_in * self.pico_in + tokens_out * self.pico_out


def project(entry: ModelEntry) -> Facts:
    """The only place of the router that sees an entry, with `project_value`."""
    return Facts(
        id=entry.id,
        capability_class=entry.capability_class,
        provides=frozenset(entry.provides),
        privacy_allowed=frozenset(entry.privacy_allowed),
        locality=entry.locality,
        context_tokens=entry.context_tokens,
        max_output_tokens=entry.max_output_tokens,
        pico_in=pico_per_token(entry.cost.usd_per_mtok_in),
        pico_out=pico_per_token(entry.cost.usd_per_mtok_out),
        latency_p95_ms=entry.latency_p95_ms,
        enabled=entry.enabled,
    )


def project_value(value: Mapping[str, Any]) -> Facts:
    """The same from the plain values of a file, for an entry that is known to be valid."""
    effective = value["effectiveContextTokens"]
    latency = value.get("latencyP95Ms")
    cost = value["cost"]
    return Facts(
        id=value["id"],
        capability_class=value["capabilityClass"],
        provides=frozenset(value["provides"]),
        privacy_allowed=frozenset(value["privacyAllowed"]),
        locality=value["locality"],
        context_tokens=min(effective, value.get("servedContextTokens", effective)),
        max_output_tokens=value.get("maxOutputTokens"),
        pico_in=_pico(cost["usdPerMtokIn"]),
        pico_out=_pico(cost["usdPerMtokOut"]),
        latency_p95_ms=None if latency is None else float(latency),
        enabled=value.get("enabled", True),
    )


def _pico(price: int | WrittenFloat) -> int:
    if isinstance(price, WrittenFloat):
        return _pico_of_text(price.text)
    return price * 10**6  # USD per million tokens is 10⁻⁶ USD, or 10⁶ times 10⁻¹² USD, per token


@lru_cache(maxsize=10_000)
def _pico_of_text(text: str) -> int:
    return pico_per_token(Decimal(text))
