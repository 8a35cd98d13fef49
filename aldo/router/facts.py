"""What routing may know of an entry. Provider, provider kind and provider config are not here."""

from __future__ import annotations

from typing import NamedTuple

from aldo.schema.entry import ModelEntry
from aldo.schema.money import pico_per_token
from aldo.schema.vocabulary import Locality


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
    """The only place of the router that sees an entry."""
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
