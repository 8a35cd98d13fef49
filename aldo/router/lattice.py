"""Whole tokens: whether a convex polygon holds a point whose coordinates are both whole numbers, and which.

Sizes are whole, so a stretch of sizes between two price lines may be there on paper and hold no request at all.
The search is exact. It looks along the direction in which the polygon is thinnest, line of lattice points by line,
and on each line only an interval of whole numbers is left to be intersected. A polygon without lattice points is
thin in some direction (Khinchine's flatness theorem), so there are few lines to look at; in one that is not thin,
a line through its middle has a point. The direction is the shortest vector in the sense of the polygon's own
extent, found by Lagrange's reduction of a basis of two vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor

HalfPlane = tuple[int, int, int]
"""(a, b, c): the points (x, y) with a·x + b·y ≤ c."""
Point = tuple[int, int]
_Corner = tuple[Fraction, Fraction]

LARGEST = 10**12  # tokens; the most that a request may say


def lattice_point(half_planes: Sequence[HalfPlane]) -> Point | None:
    """A point of whole numbers from 0 to `LARGEST` in all half planes, or None if there is none."""
    corners = _clipped(half_planes)
    if not corners:
        return None
    for x, y in corners:
        if x.denominator == y.denominator == 1:
            return int(x), int(y)
    box = ((-1, 0, 0), (0, -1, 0), (1, 0, LARGEST), (0, 1, LARGEST))
    direction = _thinnest(corners)
    along = [direction[0] * x + direction[1] * y for x, y in corners]
    for line in _from_the_middle(ceil(min(along)), floor(max(along))):
        point = _on_line(direction, line, (*half_planes, *box))
        if point is not None:
            return point
    return None


def _clipped(half_planes: Sequence[HalfPlane]) -> list[_Corner]:
    """The corners of the polygon that the half planes leave of all sizes (Sutherland and Hodgman)."""
    end = Fraction(LARGEST)
    corners = [(Fraction(0), Fraction(0)), (end, Fraction(0)), (end, end), (Fraction(0), end)]
    for a, b, c in half_planes:
        kept: list[_Corner] = []
        over = [a * x + b * y - c for x, y in corners]
        for place, here in enumerate(corners):
            before, over_before, over_here = corners[place - 1], over[place - 1], over[place]
            if (over_before < 0 < over_here) or (over_here < 0 < over_before):
                share = over_before / (over_before - over_here)
                kept.append((before[0] + share * (here[0] - before[0]), before[1] + share * (here[1] - before[1])))
            if over_here <= 0:
                kept.append(here)
        corners = kept
        if not corners:
            break
    return corners


def _thinnest(corners: Sequence[_Corner]) -> Point:
    """The direction of whole numbers in which the corners spread the least, nearly."""
    nothing, number = Fraction(0), len(corners)
    middle_x, middle_y = sum((x for x, _ in corners), nothing) / number, sum((y for _, y in corners), nothing) / number
    offsets = [(x - middle_x, y - middle_y) for x, y in corners]

    def product(left: Point, right: Point) -> Fraction:
        spread = ((left[0] * x + left[1] * y, right[0] * x + right[1] * y) for x, y in offsets)
        return sum((ours * theirs for ours, theirs in spread), nothing)

    short, long = (1, 0), (0, 1)
    if product(short, short) > product(long, long):
        short, long = long, short
    while product(short, short):
        times = round(product(short, long) / product(short, short))
        long = long[0] - times * short[0], long[1] - times * short[1]
        if product(long, long) >= product(short, short):
            break
        short, long = long, short
    return short


def _from_the_middle(first: int, last: int) -> Iterator[int]:
    middle = (first + last) // 2
    if first <= last:
        yield middle
    for distance in range(1, last - first + 1):
        if middle + distance <= last:
            yield middle + distance
        if middle - distance >= first:
            yield middle - distance


def _on_line(direction: Point, line: int, half_planes: Sequence[HalfPlane]) -> Point | None:
    """A lattice point with `direction · point == line` in all half planes. The direction is primitive."""
    u, v = _bezout(*direction)
    x, y = line * u, line * v
    step_x, step_y = -direction[1], direction[0]
    first: int | None = None
    last: int | None = None
    for a, b, c in half_planes:
        per_step, room = a * step_x + b * step_y, c - a * x - b * y
        if per_step > 0:
            most = room // per_step
            last = most if last is None else min(last, most)
        elif per_step < 0:
            least = -(room // -per_step)
            first = least if first is None else max(first, least)
        elif room < 0:
            return None
    assert first is not None and last is not None, "the sizes are bounded on all sides"
    return (x + first * step_x, y + first * step_y) if first <= last else None


def _bezout(a: int, b: int) -> Point:
    """(u, v) with a·u + b·v = 1, for a and b without a common divisor."""
    old, new = (a, 1, 0), (b, 0, 1)
    while new[0]:
        times = old[0] // new[0]
        old, new = new, (old[0] - times * new[0], old[1] - times * new[1], old[2] - times * new[2])
    return (old[1], old[2]) if old[0] > 0 else (-old[1], -old[2])
