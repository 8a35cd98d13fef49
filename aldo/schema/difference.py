"""What changes between two catalogs, as values: kinds, regions, witnesses."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

from aldo.schema.decision import Decision
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import Locality, PrivacyTier

ChangeKind = Literal[
    "privacy-widened",
    "privacy-narrowed",
    "unroutable",
    "routable",
    "rerouted",
    "dearer",
    "cheaper",
    "redundancy-lost",
    "redundancy-gained",
]

CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
"""In the order in which a reviewer wants to know of them."""


class Outcome(NamedTuple):
    """What one of the two catalogs makes of a witness."""

    decision: Decision
    locality: Locality
    """Where the chosen model is."""

    @property
    def model(self) -> str:
        return self.decision.model

    @property
    def class_used(self) -> str:
        return self.decision.class_used

    @property
    def estimated_usd(self) -> str:
        """USD at list price for the sizes of the witness, an exact decimal text."""
        return self.decision.estimated_usd

    @property
    def alternates(self) -> tuple[str, ...]:
        return self.decision.alternates

    def to_dict(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "classUsed": self.class_used,
            "estimatedUsd": self.estimated_usd,
            "locality": self.locality,
            "alternates": list(self.alternates),
        }


class Region(NamedTuple):
    """Bounds that every request of a change keeps."""

    capability_class: str | None
    """None where it is about all classes."""
    privacy: tuple[PrivacyTier, ...]
    requires_within: tuple[str, ...] | None = None
    """The tags that such a request may require; None where it does not matter."""
    tokens_at_most: int | None = None
    """Of `tokensIn + maxTokensOut`."""
    max_tokens_out_at_most: int | None = None
    only_with: tuple[str, ...] = ()
    """Fields of which each such request says at least one: `budgetUsd`, `localities` or `fallbackClasses`."""

    def to_dict(self) -> dict[str, Any]:
        fields = {
            "capabilityClass": self.capability_class,
            "privacy": list(self.privacy),
            "requiresWithin": None if self.requires_within is None else list(self.requires_within),
            "tokensAtMost": self.tokens_at_most,
            "maxTokensOutAtMost": self.max_tokens_out_at_most,
            "onlyWith": list(self.only_with) or None,
        }
        return {name: value for name, value in fields.items() if value is not None}


class RoutingChange(NamedTuple):
    """One difference: which requests it is about, and one of them with what comes of it on both sides."""

    kind: ChangeKind
    region: Region
    witness: RouteRequest
    base: Outcome | None
    """What the base makes of the witness; None where it refuses it."""
    head: Outcome | None
    share: float = 0.0
    """The part of the typical requests of the region's class that it is about, from 0 to 1."""
    detail: str = ""
    """What an outcome does not show, in words."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "region": self.region.to_dict(),
            "share": round(self.share, 4),
            "detail": self.detail,
            "witness": self.witness.model_dump(mode="json", exclude_defaults=True),
            "base": self.base and self.base.to_dict(),
            "head": self.head and self.head.to_dict(),
        }
