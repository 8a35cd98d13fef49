"""Whole points in polygons, and envelopes, against looking at every point."""

from __future__ import annotations

from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st

from aldo.router.envelope import Envelope
from aldo.router.facts import Facts
from aldo.router.group import Group
from aldo.router.rank import tie
from aldo.router.regions.bands import bands
from aldo.router.regions.lattice import LARGEST, HalfPlane, lattice_point
from aldo.router.regions.sectors import sectors
from aldo.router.shelf import Shelf

SIDE = 12
_BOX: tuple[HalfPlane, ...] = ((1, 0, SIDE), (0, 1, SIDE))
_SMALL = st.integers(-30, 30)
HALF_PLANES = st.lists(st.tuples(_SMALL, _SMALL, st.integers(-60, 60)), max_size=5)


def holds(half_planes: tuple[HalfPlane, ...], x: int, y: int) -> bool:
    return all(a * x + b * y <= c for a, b, c in half_planes)


@settings(max_examples=400)
@given(HALF_PLANES)
@example([(7, -5, -1), (-15, 11, -1)])  # between two neighbouring proportions: the first whole point is (16, 22)
def test_a_whole_point_is_found_exactly_where_there_is_one(drawn: list[HalfPlane]) -> None:
    half_planes = (*_BOX, *drawn)
    found = lattice_point(half_planes)
    there = any(holds(half_planes, x, y) for x, y in product(range(SIDE + 1), repeat=2))
    assert (found is not None) == there
    if found is not None:
        assert min(found) >= 0
        assert holds(half_planes, *found)


@given(st.integers(10**5, 10**9), st.integers(10**5, 10**9), st.integers(1, 10**6))
def test_a_thin_cone_far_out_is_searched_to_its_end(p: int, q: int, width: int) -> None:
    """The cone between q/p and a little more holds (q·n + 1, p·n) for a large n, if it fits."""
    cone: tuple[HalfPlane, ...] = ((-p, q, -1), (p, -q - width, -1), (-1, 0, -1), (0, -1, -1))
    found = lattice_point(cone)
    if found is None:
        assert (
            width * p <= 2 or width * LARGEST < 4 * q * p
        )  # as flat as that, the nearest points lie beyond the largest size
    else:
        assert holds(cone, *found)


def test_no_more_than_the_largest_size_is_found() -> None:
    assert lattice_point([(-1, 0, -LARGEST)]) is not None
    assert lattice_point([(-1, 0, -LARGEST - 1)]) is None


def facts(model: str, price_in: int, price_out: int, latency: int | None, context: int, limit: int | None) -> Facts:
    return Facts(
        model, "c", frozenset(), frozenset({"public"}), "local", context, limit, price_in, price_out, latency, True
    )


ENTRIES = st.lists(
    st.tuples(
        st.integers(0, 4), st.integers(0, 4), st.sampled_from([None, 1, 2]), st.sampled_from([3, 5, 8]),
        st.sampled_from([None, 0, 2, 4]),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


def entries(drawn: list[tuple[int, int, int | None, int, int | None]]) -> list[Facts]:
    return [facts(f"m{place}", *one) for place, one in enumerate(drawn)]


def first(members: list[Facts], x: int, y: int) -> Facts | None:
    taking = [
        f for f in members if x + y <= f.context_tokens and (f.max_output_tokens is None or y <= f.max_output_tokens)
    ]
    return min(taking, key=lambda f: (f.cost(x, y), *tie(f)), default=None)


@given(ENTRIES, st.integers(0, 10**6), st.integers(0, 10**6))
def test_an_envelope_gives_the_cheapest_for_every_mix(drawn, x: int, y: int) -> None:  # type: ignore[no-untyped-def]
    members = entries(drawn)
    envelope = Envelope(members)
    for sizes in [(x, y), *product(range(5), repeat=2)]:
        assert envelope.best(*sizes) is min(members, key=lambda f: (f.cost(*sizes), *tie(f)))


@given(ENTRIES)
def test_a_group_gives_the_first_of_those_that_fit(drawn) -> None:  # type: ignore[no-untyped-def]
    members = entries(drawn)
    group = Group(Shelf(members).members)
    for x, y in product(range(10), repeat=2):
        assert group.best(x, y) is first(members, x, y)


@given(ENTRIES, ENTRIES)
def test_every_size_lies_in_one_sector_of_one_band_with_the_winners_of_both_sides(mine, theirs) -> None:  # type: ignore[no-untyped-def]
    left, right = entries(mine), entries(theirs)
    groups = [Group(Shelf(left).members), Group(Shelf(right).members)]
    told = {
        (x, y): (sector.base, sector.head)
        for band in bands(groups)
        for sector in sectors(*(group.envelope_at(band.total, band.limit) for group in groups))
        for x, y in product(range(10), repeat=2)
        if holds((*band.half_planes, *sector.half_planes), x, y)
    }
    for x, y in product(range(10), repeat=2):
        winners = first(left, x, y), first(right, x, y)
        assert told.get((x, y), (None, None)) == winners
