"""A whole point that is alone in a polygon is found, wherever it lies; one just outside is not taken for it."""

from __future__ import annotations

from math import gcd

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from aldo.router.regions.lattice import LARGEST, HalfPlane, Point, lattice_point

SIZES = st.integers(0, 50) | st.integers(0, LARGEST)
POINTS = st.tuples(SIZES, SIZES)
SLOPES = st.tuples(st.integers(-40, 40), st.integers(-40, 40)).filter(any)


def strip(direction: Point, point: Point, low: int, high: int, parts: int) -> tuple[HalfPlane, HalfPlane]:
    """Where `direction · (x, y)` lies from `low` to `high` parts of one beyond what it is at the point."""
    a, b = direction
    at = parts * (a * point[0] + b * point[1])
    return (parts * a, parts * b, at + high), (-parts * a, -parts * b, -at - low)


@settings(max_examples=300)
@given(POINTS, SLOPES, SLOPES, st.integers(2, 9))
@example((5, 7), (1, 0), (0, 1), 3)
@example((LARGEST, LARGEST), (1, 1), (1, -1), 2)
@example((0, 0), (3, 2), (2, 3), 5)
def test_a_point_that_is_alone_between_two_pairs_of_lines_is_found(
    point: Point, one: Point, other: Point, parts: int
) -> None:
    assume(one[0] * other[1] != one[1] * other[0])
    alone = (*strip(one, point, -1, 1, parts), *strip(other, point, -1, 1, parts))
    assert lattice_point(alone) == point


@settings(max_examples=300)
@given(POINTS, SLOPES, SLOPES, st.integers(3, 9))
def test_where_one_pair_of_lines_holds_no_whole_point_none_is_found(
    point: Point, one: Point, other: Point, parts: int
) -> None:
    assume(one[0] * other[1] != one[1] * other[0])
    between = (*strip(one, point, 1, parts - 1, parts), *strip(other, point, -parts, parts, parts))
    assert lattice_point(between) is None


@settings(max_examples=300)
@given(POINTS, SLOPES, st.integers(0, 60))
def test_of_a_stretch_of_a_line_some_whole_point_is_found(point: Point, direction: Point, length: int) -> None:
    """The line itself, as two half planes; its ends lie just beyond the point and `length` steps away."""
    common = gcd(*direction)
    a, b = direction[0] // common, direction[1] // common
    last = point[0] - b * length, point[1] + a * length
    assume(min(last) >= 0 and max(last) <= LARGEST)
    here, there = -b * point[0] + a * point[1], -b * last[0] + a * last[1]
    line = (*strip((a, b), point, 0, 0, 1), (-2 * b, 2 * a, 2 * there + 1), (2 * b, -2 * a, -2 * here + 1))
    found = lattice_point(line)
    assert found is not None
    assert all(x * found[0] + y * found[1] <= c for x, y, c in line)
    if length:
        beyond = (*strip((a, b), point, 0, 0, 1), (-2 * b, 2 * a, 2 * here + 1), (2 * b, -2 * a, -2 * here + 1))
        assert lattice_point(beyond) == point
