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
from math import gcd, lcm

HalfPlane = tuple[int, int, int]
"""(a, b, c): the points (x, y) with a·x + b·y ≤ c."""
Point = tuple[int, int]
_Corner = tuple[int, int, int]
"""(x, y, w): the point (x / w, y / w). Whole numbers are far quicker than fractions."""

LARGEST = 10**12  # tokens; the most that a request may say


def lattice_point(half_planes: Sequence[HalfPlane]) -> Point | None:
    """A point of whole numbers from 0 to `LARGEST` in all half planes, or None if there is none."""
    corners = _clipped(half_planes)
    if not corners:
        return None
    for x, y, w in corners:
        if x % w == y % w == 0:
            return x // w, y // w
    direction = _thinnest(corners)
    along = [(direction[0] * x + direction[1] * y, w) for x, y, w in corners]
    first, last = min(-(-place // w) for place, w in along), max(place // w for place, w in along)
    for line in _from_the_middle(first, last):
        point = _on_line(direction, line, (*half_planes, *_BOX))
        if point is not None:
            return point
    return None


_BOX: tuple[HalfPlane, ...] = ((-1, 0, 0), (0, -1, 0), (1, 0, LARGEST), (0, 1, LARGEST))


def _clipped(half_planes: Sequence[HalfPlane]) -> list[_Corner]:
    """The corners of the polygon that the half planes leave of all sizes (Sutherland and Hodgman)."""
    corners = [(0, 0, 1), (LARGEST, 0, 1), (LARGEST, LARGEST, 1), (0, LARGEST, 1)]
    for a, b, c in half_planes:
        over = [a * x + b * y - c * w for x, y, w in corners]
        if max(over) <= 0:
            continue
        kept: list[_Corner] = []
        for place, here in enumerate(corners):
            before, over_before, over_here = corners[place - 1], over[place - 1], over[place]
            if (over_before < 0 < over_here) or (over_here < 0 < over_before):
                kept.append(_between(before, abs(over_here), here, abs(over_before)))
            if over_here <= 0:
                kept.append(here)
        corners = kept
        if not corners:
            break
    return corners


def _between(before: _Corner, share: int, here: _Corner, other_share: int) -> _Corner:
    """The point of a side that lies on the edge of a half plane."""
    x, y, w = (share * ours + other_share * theirs for ours, theirs in zip(before, here, strict=True))
    common = gcd(x, y, w)
    return x // common, y // common, w // common


def _thinnest(corners: Sequence[_Corner]) -> Point:
    """The direction of whole numbers in which the corners spread the least, nearly."""
    scale, number = lcm(*(w for _, _, w in corners)), len(corners)
    xs, ys = [x * (scale // w) for x, _, w in corners], [y * (scale // w) for _, y, w in corners]
    offsets = [(number * x - sum(xs), number * y - sum(ys)) for x, y in zip(xs, ys, strict=True)]

    def product(left: Point, right: Point) -> int:
        return sum((left[0] * x + left[1] * y) * (right[0] * x + right[1] * y) for x, y in offsets)

    short, long = (1, 0), (0, 1)
    if product(short, short) > product(long, long):
        short, long = long, short
    while square := product(short, short):
        times = (2 * product(short, long) + square) // (2 * square)
        long = long[0] - times * short[0], long[1] - times * short[1]
        if product(long, long) >= square:
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
