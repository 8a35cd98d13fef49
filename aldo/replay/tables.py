"""The compiled routing table as rows: candidates per class and tier, models, and the known names."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import inf
from typing import Any, NamedTuple

from aldo.errors import UsageError
from aldo.router import Facts, compile_catalog
from aldo.router.cells import cells
from aldo.schema import Catalog
from aldo.schema.decimals import PICO_PLACES
from aldo.schema.vocabulary import LOCALITIES

LARGEST_KEY = 10**38 - 1  # DECIMAL(38, 0), the widest number that every engine has
LARGEST_BIGINT = 2**63 - 1


class Limits(NamedTuple):
    """Bounds of what a catalog can cost; every number of the statement is below one of them.

    A candidate's rank is one number, `(place * costs + cost) * entries + entry`, so that the best one is the
    smallest on every engine alike: no collation, no float and no order of structs has a part in it.
    """

    entries: int
    """Above every entry's number."""
    tokens: int
    """Above every context; a count beyond it fits nowhere and may be cut off there."""
    price: int
    """Above every price, in 10⁻¹² USD per token."""
    costs: int
    """Above every cost of sizes up to `tokens`, in 10⁻¹² USD."""
    places: int
    """Above every place, which is 3 × the position of the class + the nearness of the locality."""

    @property
    def wide(self) -> bool:
        """Whether a rank may be too large for 64 bits. Raises `UsageError` where no engine could hold it."""
        largest = max(self.places * self.costs * self.entries, self.places * self.price)
        if largest > LARGEST_KEY:
            raise UsageError("prices times contexts of this catalog are too large for a number of 38 digits")
        return largest > LARGEST_BIGINT


class RoutingColumns(NamedTuple):
    """A catalog's routing table, ready to be written as columns. Nothing of a provider is in it."""

    candidates: list[dict[str, Any]]
    """Per class and tier, who may serve it: the enabled entries that may see the tier."""
    models: list[dict[str, Any]]
    """Every entry: its number, id, class and prices (USD per token, exact)."""
    names: list[dict[str, Any]]
    """One row: the known classes and capability tags."""
    limits: Limits


def routing_columns(catalog: Catalog) -> RoutingColumns:
    """Entries are numbered by latency (missing last) and id, the last two keys of the ranking."""
    table = compile_catalog(catalog).table
    ordered = sorted(table.facts.values(), key=_last_keys)
    number = {facts.id: entry for entry, facts in enumerate(ordered)}
    names = {"classes": sorted(table.names.classes), "capabilities": sorted(table.names.capabilities)}
    return RoutingColumns(
        candidates=[
            _candidate(facts, capability_class, tier, number[facts.id])
            for (capability_class, tier), cell in sorted(cells(ordered, table.sensitive_localities).items())
            for facts in cell
        ],
        models=[_model(facts, number[facts.id]) for facts in ordered],
        names=[names],
        limits=_limits(ordered, len(names["classes"])),
    )


def widest(limits: Iterable[Limits]) -> Limits:
    """Bounds that hold for several catalogs at once."""
    return Limits(*map(max, zip(*limits, strict=True)))


def _last_keys(facts: Facts) -> tuple[float, str]:
    return (inf if facts.latency_p95_ms is None else facts.latency_p95_ms, facts.id)


def _candidate(facts: Facts, capability_class: str, tier: str, entry: int) -> dict[str, Any]:
    limit = facts.context_tokens if facts.max_output_tokens is None else facts.max_output_tokens
    return {
        "capabilityClass": capability_class,
        "privacy": tier,
        "entry": entry,
        "model": facts.id,
        "locality": facts.locality,
        "nearness": LOCALITIES.index(facts.locality),
        "provides": sorted(facts.provides),
        "contextTokens": facts.context_tokens,
        # An answer never exceeds the context: without a limit, or with a larger one, the context is the limit.
        "outputTokens": min(limit, facts.context_tokens),
        "picoIn": facts.pico_in,
        "picoOut": facts.pico_out,
    }


def _model(facts: Facts, entry: int) -> dict[str, Any]:
    return {
        "entry": entry,
        "model": facts.id,
        "capabilityClass": facts.capability_class,
        "usdPerTokenIn": Decimal(facts.pico_in).scaleb(-PICO_PLACES),
        "usdPerTokenOut": Decimal(facts.pico_out).scaleb(-PICO_PLACES),
    }


def _limits(ordered: list[Facts], classes: int) -> Limits:
    tokens = max(facts.context_tokens for facts in ordered) + 1
    dearest = max(facts.pico_in for facts in ordered), max(facts.pico_out for facts in ordered)
    return Limits(
        entries=len(ordered),
        tokens=tokens,
        price=max(dearest) + 1,
        costs=tokens * sum(dearest) + 1,
        places=classes * len(LOCALITIES),
    )
