"""Privacy and names: which localities a tier can reach, and which classes only one side knows."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.router.difference.reserves import most_demanding
from aldo.router.facts import Facts
from aldo.router.regions.sectors import TYPICAL_SIZES
from aldo.router.stages import fits
from aldo.router.table import RoutingTable
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS, Locality, PrivacyTier


def reached(table: RoutingTable, privacy: PrivacyTier) -> dict[Locality, Facts]:
    """The localities that some request of a tier reaches, each with an entry there: the one that takes most."""
    found: dict[Locality, Facts] = {}
    for facts in table.seen_by(privacy):
        held = found.get(facts.locality)
        if held is None or most_demanding(facts).total > most_demanding(held).total:
            found[facts.locality] = facts
    return {place: found[place] for place in LOCALITIES if place in found}


def request_for(facts: Facts, privacy: PrivacyTier) -> RouteRequest:
    """A request of a tier that reaches the locality of an entry and no other."""
    sizes = next((sizes for sizes in (*TYPICAL_SIZES, (1, 1)) if fits(facts, *sizes)), (0, 0))
    return RouteRequest(
        capability_class=facts.capability_class,
        privacy=privacy,
        localities=(facts.locality,),
        tokens_in=sizes[0],
        max_tokens_out=sizes[1],
    )


def one_sided_names(ours: RoutingTable, theirs: RoutingTable) -> Iterator[tuple[str, RouteRequest]]:
    """The classes that only one of two catalogs knows, each with a request that names it and is served there.

    The other refuses every request that names such a class, as a fallback too.
    """
    served = next(_served(ours, theirs), None)
    for name in sorted(ours.names.classes - theirs.names.classes):
        if served is not None:
            yield name, served.model_copy(update={"fallback_classes": (name,)})


def _served(ours: RoutingTable, theirs: RoutingTable) -> Iterator[RouteRequest]:
    """A request of a class that both know, which one of them serves."""
    for privacy in PRIVACY_TIERS:
        for facts in ours.seen_by(privacy):
            if facts.capability_class in theirs.names.classes:
                yield request_for(facts, privacy).model_copy(update={"localities": None})
