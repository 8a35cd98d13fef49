"""What `aldo.diff` must say, held to every request of small worlds."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import aldo
from aldo.schema.request import request_from_value
from tests.router.small_worlds import TAGS, asks, catalog_of, pairs, priced, worlds
from tests.router.witnesses import (
    DECISION_KINDS,
    KINDS,
    assert_reproduces,
    assert_shows_its_kind,
    belongs,
    one_class,
    told,
)
from tests.support.brute import (
    TIERS,
    World,
    every_request,
    kind_of,
    reach,
    redundancy_kinds,
)
from tests.support.reference_router import Ask
from tests.support.strategies import to_request

MIRRORED = dict(zip(KINDS, ("rerouted", *(KINDS[at] for at in (2, 1, 4, 3, 6, 5, 8, 7))), strict=True))


@settings(max_examples=25)
@given(pairs(largest=3, most=3))
def test_find_is_none_exactly_for_the_requests_that_route_alike(pair: tuple[World, World]) -> None:
    """Every request of a small world of one class, asked one by one."""
    base, head = pair
    difference = aldo.diff(catalog_of(base), catalog_of(head))
    seen: set[Any] = set()
    for asked in every_request(base, head, TAGS):
        # Requests that leave the same entries with the same order are asked once for each pair of answers.
        ask = asked.ask
        key = ask.but(budget_usd=None), asked.base and asked.base.id, asked.head and asked.head.id
        if key not in seen:
            seen.add(key)
            belongs(difference, base, head, ask)


@settings(max_examples=250)
@given(pairs(), st.data())
def test_find_is_none_exactly_where_both_sides_choose_alike_fallbacks_included(
    pair: tuple[World, World], data: st.DataObject
) -> None:
    """For any request without pin, exclude and down: names that one side alone knows, budgets on the edge."""
    base, head = pair
    difference = aldo.diff(catalog_of(base), catalog_of(head))
    for _ in range(8):
        belongs(difference, base, head, data.draw(asks(base, head)))


def test_a_request_that_names_what_one_side_alone_knows_is_no_rerouted_one() -> None:
    """Its fallback has changed as well, but the side that does not know the name refuses it altogether."""
    base, head = World((priced("a", 0, 0, 9),), classes=("word-a",)), World((priced("b", 0, 0, 9),))
    request = to_request(Ask("word-a", "public", ("fast-draft",), tokens_in=1, max_tokens_out=1))
    for one, two, kind in ((base, head, "unroutable"), (head, base, "routable")):
        found = aldo.diff(catalog_of(one), catalog_of(two)).find(request)
        assert found is not None
        assert found.kind == kind


@settings(max_examples=60)
@given(pairs())
def test_the_changes_are_exactly_the_pairs_of_choices_that_occur(pair: tuple[World, World]) -> None:
    """Rerouted, unroutable and routable: of each class the same pairs of models that trying every request gives."""
    base, head = pair
    difference = aldo.diff(catalog_of(base), catalog_of(head))
    assert difference.complete
    occurring = set()
    for asked in every_request(base, head, TAGS):
        kind = kind_of(asked.base, asked.head)
        if kind is not None:
            ids = asked.base and asked.base.id, asked.head and asked.head.id
            occurring.add((kind, asked.ask.capability_class, *ids))
    assert told(difference, DECISION_KINDS) == occurring


def is_within(region: Any, ask: Ask) -> bool:
    """Whether a request keeps every bound that a region states."""
    said = {"budgetUsd": ask.budget_usd, "localities": ask.localities, "fallbackClasses": ask.fallback_classes or None}
    return (
        region.capability_class in (None, *ask.classes())
        and ask.privacy in region.privacy
        and (region.requires_within is None or set(ask.requires) <= set(region.requires_within))
        and (region.tokens_at_most is None or ask.tokens_in + ask.max_tokens_out <= region.tokens_at_most)
        and (region.max_tokens_out_at_most is None or ask.max_tokens_out <= region.max_tokens_out_at_most)
        and (not region.only_with or any(said[name] is not None for name in region.only_with))
    )


@settings(max_examples=60)
@given(pairs())
def test_every_request_of_a_change_keeps_the_bounds_of_its_region(pair: tuple[World, World]) -> None:
    base, head = pair
    difference = aldo.diff(catalog_of(base), catalog_of(head))
    regions = {
        (c.kind, c.witness.capability_class, c.base and c.base.model, c.head and c.head.model): c.region
        for c in difference.changes
        if c.kind in DECISION_KINDS and one_class(c)
    }
    for asked in every_request(base, head, TAGS):
        kind = kind_of(asked.base, asked.head)
        if kind is not None:
            ids = asked.base and asked.base.id, asked.head and asked.head.id
            region = regions[(kind, asked.ask.capability_class, *ids)]
            assert is_within(region, asked.ask), (region, asked)
    assert all(is_within(change.region, Ask.of(change.witness)) for change in difference.changes)


@settings(max_examples=60)
@given(pairs())
def test_dearer_and_cheaper_are_told_exactly_where_a_request_of_the_class_costs_more_or_less(
    pair: tuple[World, World],
) -> None:
    base, head = pair
    difference = aldo.diff(catalog_of(base), catalog_of(head))
    occurring = set()
    for asked in every_request(base, head, TAGS):
        if asked.base is not None and asked.head is not None and asked.costs[0] != asked.costs[1]:
            occurring.add(("dearer" if asked.costs[0] < asked.costs[1] else "cheaper", asked.ask.capability_class))
    assert {row[:2] for row in told(difference, ("dearer", "cheaper"))} == occurring


@settings(max_examples=150)
@given(pairs())
def test_privacy_is_told_exactly_where_a_tier_reaches_other_localities(pair: tuple[World, World]) -> None:
    base, head = pair
    difference = aldo.diff(catalog_of(base), catalog_of(head))
    expected = set()
    for tier in TIERS:
        before, after = reach(base, tier), reach(head, tier)
        if after - before:
            expected.add(("privacy-widened", tier))
        if before - after:
            expected.add(("privacy-narrowed", tier))
    said = {(c.kind, c.witness.privacy) for c in difference.changes if c.kind.startswith("privacy")}
    assert said == expected


@settings(max_examples=100)
@given(pairs())
def test_redundancy_is_told_exactly_where_some_request_keeps_fewer_or_more(pair: tuple[World, World]) -> None:
    base, head = pair
    difference = aldo.diff(catalog_of(base), catalog_of(head))
    said = {change.kind for change in difference.changes if change.kind.startswith("redundancy")}
    assert said == redundancy_kinds(base, head, TAGS)


def test_a_tag_that_one_model_loses_is_redundancy_lost_though_others_have_it() -> None:
    """Two could see, one can: what has the tag on both sides does not hide it."""
    others = (priced("b", 0, 0, 1, provides=["tool-use"]), priced("c", 0, 0, 1, provides=["vision"]))
    base = World((priced("a", 0, 0, 1, provides=["tool-use", "vision"]), *others))
    head = World((priced("a", 0, 0, 1, provides=["tool-use"]), *others))
    for one, two, kind in ((base, head, "redundancy-lost"), (head, base, "redundancy-gained")):
        difference = aldo.diff(catalog_of(one), catalog_of(two))
        assert {change.kind for change in difference.changes if change.kind.startswith("redundancy")} == {kind}


@settings(max_examples=150)
@given(pairs())
def test_every_witness_reproduces_and_shows_its_kind(pair: tuple[World, World]) -> None:
    base, head = pair
    old, new = catalog_of(base), catalog_of(head)
    difference = aldo.diff(old, new)
    for change in difference.changes:
        assert change.kind in KINDS
        assert_reproduces(change, old, new)
        assert_shows_its_kind(change, base, head)
        if change.kind in DECISION_KINDS:
            found = difference.find(change.witness)
            assert found is not None
            if one_class(change):
                assert found is change


@settings(max_examples=60)
@given(pairs())
def test_the_json_of_a_difference_holds_witnesses_that_can_be_asked_again(pair: tuple[World, World]) -> None:
    base, head = (catalog_of(world) for world in pair)
    difference = aldo.diff(base, head)
    document = json.loads(json.dumps(difference.to_dict()))
    assert document["version"] == 1
    assert (document["routingDigests"]["base"] == document["routingDigests"]["head"]) <= (not difference.changes)
    for row, change in zip(document["changes"], difference.changes, strict=True):
        assert row["kind"] == change.kind
        assert row["region"]
        assert request_from_value(row["witness"]) == change.witness
        for said, side in ((row.get("base"), change.base), (row.get("head"), change.head)):
            assert (said and said["model"]) == (side and side.model)


def relabelled(world: World, seed: int) -> World:
    """The same facts in another order under other labels."""
    draw = random.Random(seed)
    labels = ({"provider": "two"}, {"providerKind": "mlx"}, {"description": "new"}, {})
    entries = [entry | draw.choice(labels) for entry in world.entries]
    draw.shuffle(entries)
    shuffled = [
        entry | {name: draw.sample(entry[name], len(entry[name])) for name in ("provides", "privacyAllowed")}
        for entry in entries
    ]
    return replace(world, entries=tuple(shuffled))


@settings(max_examples=100)
@given(worlds(), st.integers(0, 99), st.data())
def test_order_and_labels_are_no_difference(world: World, seed: int, data: st.DataObject) -> None:
    catalog = catalog_of(world)
    for other in (world, relabelled(world, seed)):
        difference = aldo.diff(catalog, catalog_of(other))
        assert difference.changes == ()
        assert difference.find(to_request(data.draw(asks(world, world)))) is None
    assert aldo.diff(catalog, catalog).changes == ()


@settings(max_examples=100)
@given(pairs())
def test_the_way_back_mirrors_the_way_there(pair: tuple[World, World]) -> None:
    base, head = catalog_of(pair[0]), catalog_of(pair[1])
    there, back = aldo.diff(base, head), aldo.diff(head, base)
    assert {MIRRORED[change.kind] for change in back.changes} == {change.kind for change in there.changes}
    mirrored = {(MIRRORED[kind], wanted, new, old) for kind, wanted, old, new in told(back, DECISION_KINDS)}
    assert mirrored == told(there, DECISION_KINDS)


def lines(change: Any) -> tuple[Any, ...]:
    """All that a change says, the digests of its decisions aside."""
    sides = [side and (side.model, side.class_used, side.estimated_usd) for side in (change.base, change.head)]
    return change.kind, change.region, change.witness, *sides


@settings(max_examples=60)
@given(pairs(), st.integers(0, 99))
def test_order_and_labels_change_nothing_of_a_difference(pair: tuple[World, World], seed: int) -> None:
    base, head = pair
    plain = aldo.diff(catalog_of(base), catalog_of(head))
    other = aldo.diff(catalog_of(relabelled(base, seed)), catalog_of(relabelled(head, seed + 1)))
    assert [lines(change) for change in other.changes] == [lines(change) for change in plain.changes]
