"""The routing contract, written as slowly as it reads: lists, loops and fractions.

The tests hold the real router to this one. Nothing of `aldo` may be imported here, and nothing here may
be made clever: when the two disagree, this file must be the one a reader can check against the contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

Entry = dict[str, Any]

STAGES = (
    "DISABLED",
    "PRIVACY_TIER",
    "PRIVACY_LOCALITY",
    "CLASS",
    "CAPABILITY_MISSING",
    "CONTEXT_TOO_SMALL",
    "LOCALITY",
    "NOT_PINNED",
    "EXCLUDED",
    "BUDGET_EXCEEDED",
    "DOWN",
)
LOCALITIES = ("local", "on-prem", "cloud")


@dataclass(frozen=True)
class Ask:
    """A request as plain values, with the defaults of the contract."""

    capability_class: str
    privacy: str
    fallback_classes: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    tokens_in: int = 256
    max_tokens_out: int = 1024
    budget_usd: Decimal | None = None
    localities: tuple[str, ...] | None = None
    pin: str | None = None
    exclude: tuple[str, ...] = ()
    down: tuple[str, ...] = ()

    @staticmethod
    def of(request: object) -> Ask:
        """The same request, read attribute by attribute from the type under test."""
        return Ask(**{field.name: getattr(request, field.name) for field in fields(Ask)})

    def but(self, **changes: Any) -> Ask:
        """The same ask with some fields changed."""
        return replace(self, **changes)

    def classes(self) -> tuple[str, ...]:
        """The classes in the order they are tried, each once."""
        return tuple(dict.fromkeys((self.capability_class, *self.fallback_classes)))


@dataclass(frozen=True)
class Expected:
    """What the contract says the decision is."""

    model: str
    class_used: str
    estimated_usd: str
    alternates: tuple[str, ...]


def context(entry: Entry) -> int:
    """Tokens that fit: the smaller of what the model can do and what the server gives."""
    effective: int = entry["effectiveContextTokens"]
    served: int | None = entry.get("servedContextTokens")
    return effective if served is None else min(effective, served)


def cost(entry: Entry, ask: Ask) -> Fraction:
    """USD of the request on this entry, exact."""
    prices = entry["cost"]
    per_million = ask.tokens_in * Fraction(prices["usdPerMtokIn"])
    per_million += ask.max_tokens_out * Fraction(prices["usdPerMtokOut"])
    return per_million / 10**6


def decimal_string(usd: Fraction) -> str:
    """Plain decimal digits: no exponent, no trailing zeros, "0" for nothing."""
    pico = usd * 10**12
    assert pico.denominator == 1, "six-place prices give whole multiples of 10^-12 USD"
    whole, rest = divmod(pico.numerator, 10**12)
    return f"{whole}.{rest:012d}".rstrip("0").rstrip(".")


def _failures(entry: Entry, ask: Ask, wanted: str, sensitive: Sequence[str]) -> Iterator[str]:
    if entry.get("enabled", True) is False:
        yield "DISABLED"
    if ask.privacy not in entry["privacyAllowed"]:
        yield "PRIVACY_TIER"
    if ask.privacy == "sensitive" and entry["locality"] not in sensitive:
        yield "PRIVACY_LOCALITY"
    if entry["capabilityClass"] != wanted:
        yield "CLASS"
    if any(tag not in entry["provides"] for tag in ask.requires):
        yield "CAPABILITY_MISSING"
    limit = entry.get("maxOutputTokens")
    too_long = ask.tokens_in + ask.max_tokens_out > context(entry)
    if too_long or (limit is not None and ask.max_tokens_out > limit):
        yield "CONTEXT_TOO_SMALL"
    if ask.localities is not None and entry["locality"] not in ask.localities:
        yield "LOCALITY"
    if ask.pin is not None and entry["id"] != ask.pin:
        yield "NOT_PINNED"
    if entry["id"] in ask.exclude:
        yield "EXCLUDED"
    if ask.budget_usd is not None and cost(entry, ask) > Fraction(ask.budget_usd):
        yield "BUDGET_EXCEEDED"
    if entry["id"] in ask.down:
        yield "DOWN"


def failures(entry: Entry, ask: Ask, wanted: str, sensitive: Sequence[str]) -> tuple[str, ...]:
    """Every stage the entry fails for one class, in the order of the contract."""
    return tuple(_failures(entry, ask, wanted, sensitive))


def first_failure(entry: Entry, ask: Ask, wanted: str, sensitive: Sequence[str]) -> str | None:
    """The reason code of an entry for one class; None when it survives."""
    return next(_failures(entry, ask, wanted, sensitive), None)


def rank_key(entry: Entry, ask: Ask) -> tuple[int, Fraction, bool, int, str]:
    """Locality, cost, latency with missing last, id by code points."""
    latency: int | None = entry.get("latencyP95Ms")
    place = LOCALITIES.index(entry["locality"])
    return place, cost(entry, ask), latency is None, latency or 0, entry["id"]


def survivors(entries: Sequence[Entry], ask: Ask, wanted: str, sensitive: Sequence[str]) -> list[Entry]:
    """The entries that pass every stage for one class, best first."""
    alive = [entry for entry in entries if first_failure(entry, ask, wanted, sensitive) is None]
    return sorted(alive, key=lambda entry: rank_key(entry, ask))


def chain(entries: Sequence[Entry], ask: Ask, sensitive: Sequence[str]) -> list[Entry]:
    """The whole failover chain, class after class, no entry twice."""
    found: list[Entry] = []
    for wanted in ask.classes():
        for entry in survivors(entries, ask, wanted, sensitive):
            if entry["id"] not in [other["id"] for other in found]:
                found.append(entry)
    return found


def reference_route(entries: Sequence[Entry], ask: Ask, sensitive: Sequence[str]) -> Expected | None:
    """What `route` must answer; None where it must raise `NoEligibleModelError`."""
    found = chain(entries, ask, sensitive)
    if not found:
        return None
    first = found[0]
    rest = tuple(entry["id"] for entry in found[1:])
    return Expected(first["id"], first["capabilityClass"], decimal_string(cost(first, ask)), rest)


def emptied_by(entries: Sequence[Entry], ask: Ask, wanted: str, sensitive: Sequence[str]) -> str:
    """The stage at which the last entry of a class fell; CLASS when the catalog has none of it."""
    held = [entry for entry in entries if entry["capabilityClass"] == wanted]
    codes = [first_failure(entry, ask, wanted, sensitive) for entry in held]
    return max((code for code in codes if code is not None), key=STAGES.index, default="CLASS")


def why_dropped(entry: Entry, ask: Ask, sensitive: Sequence[str]) -> str | None:
    """The reason code of one entry over all the requested classes; None when one of them keeps it."""
    mine = entry["capabilityClass"]
    return first_failure(entry, ask, mine if mine in ask.classes() else ask.capability_class, sensitive)


def decided_by(winner: Entry, loser: Entry, ask: Ask) -> str:
    """The first thing that separates two survivors."""
    if winner["capabilityClass"] != loser["capabilityClass"]:
        return "class"
    if winner["locality"] != loser["locality"]:
        return "locality"
    if cost(winner, ask) != cost(loser, ask):
        return "cost"
    if winner.get("latencyP95Ms") != loser.get("latencyP95Ms"):
        return "latency"
    return "id"


def reachable(entry: Entry, sensitive: Sequence[str]) -> bool:
    """Whether any request at all can choose the entry: it is enabled and some tier lets it in."""
    if entry.get("enabled", True) is False:
        return False
    return any(tier != "sensitive" or entry["locality"] in sensitive for tier in entry["privacyAllowed"])
