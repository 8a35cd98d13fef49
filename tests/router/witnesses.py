"""What a change and its witness must show, and which changes a request belongs to, by the oracle's judgement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aldo
from aldo.errors import AldoError
from aldo.schema import Catalog, RouteRequest
from tests.support.brute import (
    World,
    chain_of,
    first_of,
    kind_of,
    reach,
)
from tests.support.reference_router import Ask
from tests.support.strategies import to_request

DECISION_KINDS = ("rerouted", "unroutable", "routable")
KINDS = (
    *DECISION_KINDS,
    "privacy-widened",
    "privacy-narrowed",
    "dearer",
    "cheaper",
    "redundancy-lost",
    "redundancy-gained",
)


def outcome(catalog: Catalog, request: RouteRequest) -> tuple[str, str, str] | None:
    """The model, the class and the cost; None for a refusal, by whatever error."""
    try:
        decision = aldo.route(catalog, request)
    except AldoError:
        return None
    return decision.model, decision.class_used, decision.estimated_usd


def assert_reproduces(change: Any, base: Catalog, head: Catalog) -> None:
    """What a change says of its witness is what `route` says on both sides."""
    for said, catalog in ((change.base, base), (change.head, head)):
        routed = outcome(catalog, change.witness)
        assert (said and (said.model, said.class_used, said.estimated_usd)) == routed


def assert_shows_its_kind(change: Any, base: World, head: World) -> None:
    """The witness is a request of the kind, by the oracle's own judgement."""
    ask = Ask.of(change.witness)
    assert ask.pin is None and not ask.exclude
    old, new = first_of(base, ask), first_of(head, ask)
    if change.kind in DECISION_KINDS:
        assert not ask.down
        assert kind_of(old, new) == change.kind
    elif change.kind in ("dearer", "cheaper"):
        assert not ask.down
        assert old is not None and new is not None
        costs = [model.cost(ask.tokens_in, ask.max_tokens_out) for model in (old, new)]
        assert costs[0] < costs[1] if change.kind == "dearer" else costs[0] > costs[1]
    elif change.kind in ("privacy-widened", "privacy-narrowed"):
        before, after = reach(base, ask.privacy), reach(head, ask.privacy)
        assert after - before if change.kind == "privacy-widened" else before - after
    else:
        assert (ask.budget_usd, ask.localities, ask.fallback_classes) == (None, None, ())
        before, after = (len(chain_of(world, ask.but(down=())) or ()) for world in (base, head))
        assert 1 <= after < before if change.kind == "redundancy-lost" else 1 <= before < after


def one_class(change: Any) -> bool:
    return len(change.witness.classes) == 1


def told(difference: Any, kinds: Sequence[str]) -> set[tuple[Any, ...]]:
    """Kind, class and both models of the changes that requests of one class show."""
    return {
        (c.kind, c.witness.capability_class, c.base and c.base.model, c.head and c.head.model)
        for c in difference.changes
        if c.kind in kinds and one_class(c)
    }


def belongs(difference: Any, base: World, head: World, ask: Ask) -> None:
    """`find` gives a change of the difference for a request that routes differently, and None for any other."""
    found = difference.find(to_request(ask))
    old, new = first_of(base, ask), first_of(head, ask)
    kind = kind_of(old, new)
    assert (found is None) == (kind is None), (ask, old, new, found)
    if found is None:
        return
    assert any(found is change for change in difference.changes) or not difference.complete
    assert found.kind in DECISION_KINDS
    if len(ask.classes()) == 1:
        assert found.kind == kind
        assert found.witness.capability_class == ask.capability_class
        assert (found.base and found.base.model) == (old and old.id)
        assert (found.head and found.head.model) == (new and new.id)
