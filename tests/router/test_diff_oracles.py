"""The oracles that differences are held to: against the reference router and against each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.router.small_worlds import asks, pairs, worlds
from tests.support.brute import (
    Plane,
    World,
    chain_of,
    count_points,
    every_request,
    exact_changes,
    kind_of,
)
from tests.support.reference_router import reference_route


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
