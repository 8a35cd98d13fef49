"""Changes as they are told: region, witness and outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aldo.router.difference.found import BUDGETED, PLAIN, Key, Shown
from aldo.router.difference.places import reached, request_for
from aldo.router.difference.reserves import Demand, Reserve, most_demanding
from aldo.router.difference.rise import Rise
from aldo.router.difference.typical import Typical
from aldo.router.difference.witness import Sides, outcome, plainest, request_of
from aldo.router.facts import Facts
from aldo.router.regions.lattice import LARGEST
from aldo.router.regions.sectors import TYPICAL_SIZES
from aldo.schema.difference import ChangeKind, Region, RoutingChange
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import PRIVACY_TIERS, PrivacyTier


def route_change(
    sides: Sides, key: Key, shown: Mapping[PrivacyTier, Shown], typical: Typical, rise: Rise | None
) -> RoutingChange:
    """The change that a key stands for; with the plainest witness, where a `rise` is given to judge it by."""
    tiers = tuple(tier for tier in PRIVACY_TIERS if tier in shown)
    plainness = min(shown[tier].way.plainness for tier in tiers)
    privacy = typical.main_tier(key, (tier for tier in tiers if shown[tier].way.plainness == plainness))
    witness = request_of(key, privacy, shown[privacy])
    if rise is not None:
        witness = plainest(sides, key, witness, rise)
    return told(sides, key, tiers, witness, plainness, typical.share(key))


def told(
    sides: Sides, key: Key, tiers: tuple[PrivacyTier, ...], witness: RouteRequest, plainness: int, share: float = 0.0
) -> RoutingChange:
    base, head = sides[0].table.facts.get(key.base or ""), sides[1].table.facts.get(key.head or "")
    only_with = () if plainness == PLAIN else ("budgetUsd",) if plainness == BUDGETED else ("localities", "budgetUsd")
    region = _region(key.capability_class, tiers, [facts for facts in (base, head) if facts is not None], only_with)
    return RoutingChange(key.kind, region, witness, outcome(sides[0], witness), outcome(sides[1], witness), share)


def _region(
    capability_class: str, tiers: tuple[PrivacyTier, ...], winners: list[Facts], only_with: tuple[str, ...]
) -> Region:
    """What the winners can take bounds the requests that they win."""
    most = [most_demanding(facts) for facts in winners]
    limit = min(demand.tokens_out for demand in most)
    total = min(demand.total for demand in most)
    return Region(
        capability_class,
        tiers,
        requires_within=tuple(sorted(frozenset.intersection(*(demand.requires for demand in most)))),
        tokens_at_most=total,
        max_tokens_out_at_most=limit if limit < min(total, LARGEST) else None,
        only_with=only_with,
    )


def privacy_changes(sides: Sides) -> Iterator[RoutingChange]:
    """Per tier the localities that it newly reaches, and those that it no longer does."""
    for privacy in PRIVACY_TIERS:
        base, head = (reached(side.table, privacy) for side in sides)
        kinds: tuple[tuple[ChangeKind, dict[str, Facts]], ...] = (
            ("privacy-widened", {place: facts for place, facts in head.items() if place not in base}),
            ("privacy-narrowed", {place: facts for place, facts in base.items() if place not in head}),
        )
        for kind, places in kinds:
            for place, facts in places.items():
                witness = request_for(facts, privacy)
                verb = "can now" if kind == "privacy-widened" else "can no longer"
                detail = f"{privacy} requests {verb} reach {place}"
                outcomes = outcome(sides[0], witness), outcome(sides[1], witness)
                yield RoutingChange(kind, Region(None, (privacy,)), witness, *outcomes, detail=detail)


def redundancy_changes(
    sides: Sides, name: str, reserves: Mapping[PrivacyTier, list[Reserve]]
) -> Iterator[RoutingChange]:
    """Where fewer models, or more, can serve; tiers with the same figures are one change."""
    alike: dict[tuple[ChangeKind, Reserve], list[PrivacyTier]] = {}
    for privacy in PRIVACY_TIERS:
        for reserve in reserves.get(privacy, ()):
            kind: ChangeKind = "redundancy-lost" if reserve.head < reserve.base else "redundancy-gained"
            alike.setdefault((kind, reserve), []).append(privacy)
    for (kind, reserve), tiers in alike.items():
        witness = _plain_reserve(sides, _reserve_request(name, tiers[0], reserve.demand), reserve)
        outcomes = outcome(sides[0], witness), outcome(sides[1], witness)
        counts = [0 if one is None else 1 + len(one.alternates) for one in outcomes]
        detail = f"{_models(counts[0])} could serve it, now {_models(counts[1])}"
        region = Region(
            name, tuple(tiers), tuple(sorted(reserve.demand.requires)), reserve.demand.total, reserve.demand.tokens_out
        )
        yield RoutingChange(kind, region, witness, *outcomes, detail=detail)


def _reserve_request(name: str, privacy: PrivacyTier, demand: Demand) -> RouteRequest:
    return RouteRequest(
        capability_class=name,
        privacy=privacy,
        requires=tuple(sorted(demand.requires)),
        tokens_in=min(demand.total - demand.tokens_out, LARGEST),
        max_tokens_out=demand.tokens_out,
    )


def _plain_reserve(sides: Sides, request: RouteRequest, reserve: Reserve) -> RouteRequest:
    """The same with typical sizes and without tags, where that shows the same numbers of candidates."""
    for field in ("requires", *TYPICAL_SIZES):
        update = {"requires": ()} if field == "requires" else {"tokens_in": field[0], "max_tokens_out": field[1]}
        candidate = request.model_copy(update=update)
        counts = tuple(sum(1 for _ in side.table.failover_chain(candidate)) for side in sides)
        if counts == (reserve.base, reserve.head):
            request = candidate
            if field != "requires":
                break
    return request


def _models(count: int) -> str:
    return f"{count} model{'' if count == 1 else 's'}"
