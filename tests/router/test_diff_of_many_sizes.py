"""Differences in contexts of millions and in tangles of tags: found where they hold one request, or none."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aldo
from aldo.errors import AldoError
from tests.router.small_worlds import catalog_of, long_pairs, priced
from tests.router.witnesses import DECISION_KINDS, assert_reproduces, assert_shows_its_kind, belongs, told
from tests.support.brute import (
    LOCALITIES,
    TIERS,
    World,
    budgets,
    exact_changes,
    model_of,
    ranked,
)
from tests.support.reference_router import Ask


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
