"""What `aldo.diff` must say, held to every request of small worlds and to exact counts in large ones."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aldo
from aldo.errors import AldoError
from aldo.schema import Catalog, RouteRequest
from aldo.schema.request import request_from_value
from tests.support.brute import (
    LOCALITIES,
    PLACES,
    TIERS,
    Plane,
    World,
    budgets,
    chain_of,
    count_points,
    every_request,
    exact_changes,
    first_of,
    kind_of,
    model_of,
    ranked,
    reach,
    redundancy_kinds,
    subsets,
)
from tests.support.reference_router import Ask, Entry, context, reference_route
from tests.support.strategies import PICO, to_request

TAGS = ("tool-use", "vision")
CLASSES = ("fast-draft", "house-class")
VOCABULARY = ("word-a", "word-b")
IDS = ("a", "a-1", "B", "b", "Z")
PRICES = ("0", "0", "0.000001", "0.000002", "0.000003", "0.000001", "1")
SENSITIVE = (("local",), ("local",), ("local", "on-prem"), LOCALITIES, ("cloud",))
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
MIRRORED = dict(zip(KINDS, ("rerouted", *(KINDS[at] for at in (2, 1, 4, 3, 6, 5, 8, 7))), strict=True))


def fields(draw: st.DrawFn, largest: int) -> dict[str, Any]:
    """The routing facts of one entry; most are of one class and place, because those compete."""

    def pick(values: Sequence[Any]) -> Any:
        return draw(st.sampled_from(values))

    contexts = range(1, largest + 1)
    optional = {
        "servedContextTokens": pick((None, None, None, *contexts)),
        "maxOutputTokens": pick((None, None, None, *contexts)),
        "latencyP95Ms": pick((None, 1, 1, 1.5)),
        "enabled": pick((None, None, None, None, True, False)),
    }
    return {
        "locality": pick(("local", "local", *LOCALITIES)),
        "capabilityClass": pick((*CLASSES[:1] * 3, *CLASSES)),
        "provides": list(pick((TAGS, TAGS, *subsets(TAGS)[1:]))),
        "privacyAllowed": list(pick((TIERS, TIERS, TIERS, *subsets(TIERS)[1:]))),
        "effectiveContextTokens": pick(contexts),
        "cost": {side: pick(PRICES) for side in ("usdPerMtokIn", "usdPerMtokOut")},
    } | {name: value for name, value in optional.items() if value is not None}


@st.composite
def worlds(draw: st.DrawFn, largest: int = 5, most: int = 4) -> World:
    ids = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=most, unique=True))
    labels = {"provider": "one", "providerKind": "openai-compat"}
    entries = tuple({"id": name, **labels, **fields(draw, largest)} for name in ids)
    classes = draw(st.sampled_from(subsets(VOCABULARY)))
    return World(entries, draw(st.sampled_from(SENSITIVE)), classes)


@st.composite
def pairs(draw: st.DrawFn, largest: int = 5, most: int = 4) -> tuple[World, World]:
    """Two worlds; half of the time the second is the first with a few facts changed."""
    base, other = draw(worlds(largest, most)), draw(worlds(largest, most))
    if draw(st.booleans()):
        return base, other
    entries: dict[str, Entry] = {entry["id"]: dict(entry) for entry in base.entries}
    for change in other.entries:
        found = entries.get(change["id"])
        if found is None:
            if draw(st.booleans()):
                entries[change["id"]] = change
        elif draw(st.booleans()) and len(entries) > 1:
            del entries[change["id"]]
        else:
            name = draw(st.sampled_from(sorted(change.keys())))
            found[name] = change[name]
    sensitive = draw(st.sampled_from((base.sensitive, base.sensitive, other.sensitive)))
    return base, World(tuple(entries.values()), sensitive, draw(st.sampled_from((base.classes, other.classes))))


def catalog_of(world: World) -> Catalog:
    return Catalog.model_validate(world.document)


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


# ---- the oracles against the reference router and against each other


@settings(max_examples=150)
@given(worlds(), st.data())
def test_the_oracle_chooses_what_the_reference_router_chooses(world: World, data: st.DataObject) -> None:
    for _ in range(5):
        ask = data.draw(asks(world, world))
        found = chain_of(world, ask)
        expected = reference_route(world.entries, ask, world.sensitive) if found is not None else None
        if not found:
            assert expected is None
        else:
            assert expected is not None
            assert [model.id for model, _ in found] == [expected.model, *expected.alternates]
            assert Decimal(found[0][1]).scaleb(-12) == Decimal(expected.estimated_usd)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(-9, 30)),
        max_size=5,
    ),
    st.integers(0, 12),
)
def test_the_oracle_counts_the_whole_points_that_there_are(planes: list[Plane], largest: int) -> None:
    inside = sum(all(a * x + b * y <= c for a, b, c in planes) for x in range(largest + 1) for y in range(largest + 1))
    assert count_points(planes, largest) == inside


@settings(max_examples=40)
@given(pairs(largest=4, most=3))
def test_counting_finds_what_trying_every_request_finds(pair: tuple[World, World]) -> None:
    base, head = pair
    tried: dict[Any, set[Any]] = {}
    for asked in every_request(base, head, ()):
        found = tried.setdefault((asked.ask.capability_class, asked.ask.privacy), set())
        kind = kind_of(asked.base, asked.head)
        if kind is not None:
            found.add((kind, asked.base and asked.base.id, asked.head and asked.head.id))
        if asked.base is not None and asked.head is not None and asked.costs[0] != asked.costs[1]:
            found.add("dearer" if asked.costs[0] < asked.costs[1] else "cheaper")
    for (wanted, tier), found in tried.items():
        assert exact_changes(base, head, wanted, tier) == found


# ---- every request of a small world


@st.composite
def asks(draw: st.DrawFn, base: World, head: World) -> Ask:
    """Any request without pin, exclude and down; fallbacks, unknown names and odd budgets included."""

    def pick(values: Sequence[Any]) -> Any:
        return draw(st.sampled_from(values))

    classes = (*CLASSES, *CLASSES, *VOCABULARY, "embeddings", "nobody-knows")
    room = max(base.largest, head.largest) + 1
    ask = Ask(
        pick(classes),
        pick(TIERS),
        fallback_classes=tuple(pick(classes) for _ in range(pick((0, 1, 1, 2, 3)))),
        requires=tuple(pick((*TAGS, *TAGS, "streaming", "no-such-tag")) for _ in range(pick((0, 0, 0, 1, 2)))),
        tokens_in=draw(st.integers(0, room)),
        max_tokens_out=draw(st.integers(0, room)),
        localities=pick(PLACES),
    )
    if draw(st.integers(1, 4)) > 1:
        ask = aimed_at(pick((*base.entries, *head.entries)), ask, draw)
    tokens_in, out = ask.tokens_in, ask.max_tokens_out
    entries = [model_of(entry) for entry in (*base.entries, *head.entries)]
    cost = pick(entries).cost(tokens_in, out)
    step = pick((None, None, 0, 0, -1, 1, Decimal("0.1"), Decimal("-0.1")))
    return ask if step is None else ask.but(budget_usd=max(Decimal(0), (cost + Decimal(step)) * PICO))


def aimed_at(entry: Entry, ask: Ask, draw: st.DrawFn) -> Ask:
    """The request turned to what one entry serves, mostly: as the first class or as a fallback."""
    room = context(entry)
    out = draw(st.integers(0, min(room, entry.get("maxOutputTokens", room))))
    wanted, others = entry["capabilityClass"], ask.fallback_classes
    return ask.but(
        **draw(
            st.sampled_from(
                (
                    {"capability_class": wanted},
                    {"capability_class": wanted, "fallback_classes": others[:1]},
                    {"fallback_classes": (wanted, *others)},
                    {"fallback_classes": (*others[:1], wanted)},
                    {"fallback_classes": (wanted,)},
                )
            )
        ),
        privacy=draw(st.sampled_from(entry["privacyAllowed"])),
        requires=draw(st.sampled_from(((), (), tuple(entry["provides"]), ask.requires))),
        tokens_in=draw(st.integers(0, room - out)),
        max_tokens_out=out,
        localities=draw(st.sampled_from((None, None, (entry["locality"],), ask.localities))),
    )


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


# ---- what is no difference


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


# ---- whole tokens: regions that hold one request, or none


def priced(model: str, price_in: int, price_out: int, room: int, **more: Any) -> Entry:
    """An entry of whole prices in 10^-12 USD a token."""
    costs = {"usdPerMtokIn": Decimal(price_in).scaleb(-6), "usdPerMtokOut": Decimal(price_out).scaleb(-6)}
    return {
        "id": model,
        "provider": "one",
        "providerKind": "openai-compat",
        "locality": "local",
        "capabilityClass": "fast-draft",
        "provides": ["tool-use"],
        "privacyAllowed": ["public"],
        "effectiveContextTokens": room,
        "cost": costs,
    } | more


def neighbours(draw: random.Random, depth: int) -> tuple[int, int, int, int]:
    """Neighbours a/b < c/d of a Farey row: bc - ad = 1, and what lies between them has at least a+c over b+d."""
    a, b, c, d = 0, 1, 1, 0
    for _ in range(depth):
        if draw.random() < 0.5:
            a, b = a + c, b + d
        else:
            c, d = a + c, b + d
    return a, b, c, d


def wedge(seed: int, depth: int, beyond: int) -> tuple[World, World, tuple[int, int]]:
    """A head with a third entry, the cheapest only where a/b < in/out < c/d, and where that begins.

    The rivals cost more by (b*in - a*out) and (c*out - d*in): both are positive inside the wedge alone, and there
    its first whole sizes are a+c tokens in and b+d out. The context ends `beyond` tokens after them.
    """
    a, b, c, d = neighbours(random.Random(seed), depth)
    room = a + b + c + d + beyond
    price_in, price_out = d + 1, a + 1
    one = priced("a", price_in + b, price_out - a, room)
    two = priced("b", price_in - d, price_out + c, room)
    middle = priced("z", price_in, price_out, room)
    return World((one, two)), World((one, two, middle)), (a + c, b + d)


@pytest.mark.parametrize("depth", [1, 3, 9, 24, 40])
@pytest.mark.parametrize("seed", range(4))
def test_a_wedge_between_two_prices_that_holds_no_whole_tokens_is_no_difference(seed: int, depth: int) -> None:
    base, head, _ = wedge(seed, depth, -1)
    assert not told_of_z(base, head)


@pytest.mark.parametrize("depth", [1, 3, 9, 24, 40])
@pytest.mark.parametrize("seed", range(4))
def test_a_wedge_that_holds_the_sizes_of_one_request_is_found_however_far_out(seed: int, depth: int) -> None:
    """The one request: in millions of tokens at the greater depths."""
    base, head, (tokens_in, out) = wedge(seed, depth, 0)
    changes = told_of_z(base, head)
    assert changes
    assert {(change.witness.tokens_in, change.witness.max_tokens_out) for change in changes} == {(tokens_in, out)}


def told_of_z(base: World, head: World) -> list[Any]:
    """The changes that end at the third entry, after the law of `exact_changes` was held for all."""
    old, new = catalog_of(base), catalog_of(head)
    difference = aldo.diff(old, new)
    expected = exact_changes(base, head, "fast-draft", "public")
    assert {row[:1] + row[2:] for row in told(difference, DECISION_KINDS)} == {x for x in expected if len(x) == 3}
    assert {c.kind for c in difference.changes if c.kind in ("dearer", "cheaper")} == expected & {"dearer", "cheaper"}
    for change in difference.changes:
        assert_reproduces(change, old, new)
        assert_shows_its_kind(change, base, head)
    return [c for c in difference.changes if c.kind == "rerouted" and c.head and c.head.model == "z"]


@st.composite
def long_pairs(draw: st.DrawFn) -> tuple[World, World]:
    """Contexts of millions, nearly parallel prices, ties, limits and places: one class and one tier."""
    rooms = (1_000_000, 1_000_001, 3_999_999, 10**12, draw(st.integers(1, 10**7)))
    steep = draw(st.integers(1, 10**6)), draw(st.integers(1, 10**6))
    worlds = []
    for _ in range(2):
        entries = []
        for name in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)):
            times = draw(st.integers(0, 3))
            prices = (max(0, times * price + draw(st.integers(-1, 1))) for price in steep)
            limit = draw(st.sampled_from((None, None, 1, 1000, 999_999)))
            latency = draw(st.sampled_from((None, 1, 2)))
            more = {"maxOutputTokens": limit, "latencyP95Ms": latency}
            place = draw(st.sampled_from(("local", "local", "cloud")))
            entries.append(
                priced(name, *prices, draw(st.sampled_from(rooms)), locality=place)
                | {field: value for field, value in more.items() if value is not None}
            )
        worlds.append(World(tuple(entries)))
    return worlds[0], worlds[1]


@settings(max_examples=40)
@given(long_pairs())
def test_in_contexts_of_millions_the_changes_are_what_counting_finds(pair: tuple[World, World]) -> None:
    told_of_z(*pair)


@settings(max_examples=60)
@given(long_pairs(), st.data())
def test_find_agrees_on_sizes_where_costs_cross(pair: tuple[World, World], data: st.DataObject) -> None:
    """Sizes on and one beside the line on which two entries cost the same, and budgets on the edge."""
    base, head = pair
    difference = aldo.diff(catalog_of(base), catalog_of(head))
    models = [model_of(entry) for entry in (*base.entries, *head.entries)]
    for one, two in product(models, models):
        more_in, less_out = two.price_in - one.price_in, one.price_out - two.price_out
        times = data.draw(st.integers(1, 3))
        step_in, step_out = data.draw(st.integers(-1, 1)), data.draw(st.integers(-1, 1))
        tokens_in, out = times * abs(less_out) + step_in, times * abs(more_in) + step_out
        if tokens_in < 0 or out < 0:
            continue
        alive = ranked(models, tokens_in, out)
        limit = data.draw(st.sampled_from(budgets(alive)))
        usd = None if limit is None else Decimal(limit).scaleb(-12)
        ask = Ask("fast-draft", "public", tokens_in=tokens_in, max_tokens_out=out, budget_usd=usd)
        belongs(difference, base, head, ask)


# ---- large catalogs


def tangled(seed: int, number: int, tags: int) -> World:
    """Random sets of many tags: the requirement sets that differ are more than can be listed."""
    draw = random.Random(seed)
    names = [f"tag-{at}" for at in range(tags)]
    return World(
        tuple(
            priced(
                f"m{at}",
                draw.randrange(1, 10**6),
                draw.randrange(1, 10**6),
                draw.choice((8_192, 32_768, 131_072, 1_000_000)),
                provides=draw.sample(names, draw.randrange(1, tags)),
                privacyAllowed=list(TIERS),
                locality=draw.choice(LOCALITIES),
                capabilityClass=draw.choice(("fast-draft", "reasoning-small", "house-class")),
            )
            for at in range(number)
        )
    )


def ask_of_tags(draw: random.Random, world: World) -> Ask:
    entry = draw.choice(world.entries)
    wanted = tuple(draw.sample(entry["provides"], draw.randrange(len(entry["provides"]) + 1)))
    ask = Ask(
        entry["capabilityClass"],
        draw.choice(TIERS),
        requires=wanted,
        tokens_in=draw.choice((0, 1, 4_000, 8_192, 100_000)),
        max_tokens_out=draw.choice((0, 1, 1_000, 31_072)),
        localities=draw.choice((None, None, (entry["locality"],))),
    )
    cost = model_of(entry).cost(ask.tokens_in, ask.max_tokens_out)
    return draw.choice((ask, ask.but(budget_usd=Decimal(cost).scaleb(-12))))


@pytest.mark.heavy
@pytest.mark.parametrize(("number", "tags"), [(40, 6), (200, 8), (300, 30), (2_000, 30)])
def test_a_tangle_of_tags_is_told_exactly_or_refused_with_a_reason(number: int, tags: int) -> None:
    """Never a wrong answer: where a bound is hit, the difference or the error says so, and `find` stays exact."""
    draw = random.Random(number)
    base = tangled(number, number, tags)
    entries = [
        dict(entry, cost=draw.choice(base.entries)["cost"]) if draw.random() < 0.05 else entry for entry in base.entries
    ]
    head = World(tuple(entry for entry in entries if draw.random() < 0.97))
    old, new = catalog_of(base), catalog_of(head)
    try:
        difference = aldo.diff(old, new)
    except AldoError as error:
        assert len(str(error)) > 20
        return
    for _ in range(2_000):
        belongs(difference, base, head, ask_of_tags(draw, base))
    for change in difference.changes:
        assert_reproduces(change, old, new)
