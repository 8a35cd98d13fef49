"""Where two envelopes have which winners: the sizes cut into sectors in which both winners stay the same.

A sector is a cone of proportions, or the ray between two of them, or an axis, or no tokens at all. It does not
depend on how many tokens there are, so sectors of one pair of envelopes serve every band of sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from aldo.router.envelope import Envelope, Step
from aldo.router.facts import Facts
from aldo.router.regions.bands import Band
from aldo.router.regions.lattice import LARGEST, HalfPlane, Point, lattice_point

TYPICAL_SIZES: tuple[Point, ...] = ((256, 1024), (4_000, 1_000), (32_000, 4_000), (150_000, 8_000))
"""(tokensIn, maxTokensOut): a short question, a page, a long document, a code base."""


class Sector(NamedTuple):
    """Proportions with one winner on each side; None where nobody takes such sizes."""

    base: Facts | None
    head: Facts | None
    half_planes: tuple[HalfPlane, ...]

    def point(self, band: Band, *more: HalfPlane) -> Point | None:
        """Sizes of this sector in a band that keep `more` conditions, the typical ones first; None for none."""
        half_planes = (*self.half_planes, *band.half_planes, *more)
        for x, y in (*TYPICAL_SIZES, *_guesses(self.half_planes, band)):
            if all(a * x + b * y <= c for a, b, c in half_planes):
                return x, y
        return lattice_point(half_planes)


_NO_IN: tuple[HalfPlane, ...] = ((1, 0, 0), (-1, 0, 0))
_NO_OUT: tuple[HalfPlane, ...] = ((0, 1, 0), (0, -1, 0))
_NO_TOKENS: tuple[HalfPlane, ...] = (*_NO_IN, *_NO_OUT)
_ONLY_IN: tuple[HalfPlane, ...] = ((-1, 0, -1), *_NO_OUT)
_ONLY_OUT: tuple[HalfPlane, ...] = (*_NO_IN, (0, -1, -1))
_BOTH: tuple[HalfPlane, ...] = ((-1, 0, -1), (0, -1, -1))


def sectors(base: Envelope | None, head: Envelope | None) -> Iterator[Sector]:
    """All sizes, cut so that neither winner changes inside a sector."""
    yield Sector(base.free if base else None, head.free if head else None, _NO_TOKENS)
    yield Sector(base.only_in if base else None, head.only_in if head else None, _ONLY_IN)
    yield Sector(base.only_out if base else None, head.only_out if head else None, _ONLY_OUT)
    left, right = _Walk(base), _Walk(head)
    since = _BOTH
    while True:
        ray = _earlier(left.next_step, right.next_step)
        if ray is None:
            yield Sector(left.winner, right.winner, since)
            return
        more_in, less_out, _ = ray
        # Before the ray there is more input: x * more_in > y * less_out.
        yield Sector(left.winner, right.winner, (*since, (-more_in, less_out, -1)))
        on_ray = (*_BOTH, (-more_in, less_out, 0), (more_in, -less_out, 0))
        yield Sector(left.passed(ray), right.passed(ray), on_ray)
        since = (*_BOTH, (more_in, -less_out, -1))


class _Walk:
    """Along the corners of an envelope, from input alone to output alone."""

    def __init__(self, envelope: Envelope | None) -> None:
        self._corners: Sequence[Facts] = envelope.corners if envelope else ()
        self._steps: Sequence[Step] = envelope.steps if envelope else ()
        self._at = 0

    @property
    def winner(self) -> Facts | None:
        return self._corners[self._at] if self._corners else None

    @property
    def next_step(self) -> Step | None:
        return self._steps[self._at] if self._at < len(self._steps) else None

    def passed(self, ray: Step) -> Facts | None:
        """Who wins on a ray; behind it the next corner does, if the ray is one of ours."""
        ours = self.next_step
        if ours is None or ours[1] * ray[0] != ray[1] * ours[0]:
            return self.winner
        self._at += 1
        return ours[2]


def _earlier(left: Step | None, right: Step | None) -> Step | None:
    """The step that comes first on the way from input to output: the one with the larger share of input."""
    if left is None or right is None:
        return left or right
    return left if left[1] * right[0] >= right[1] * left[0] else right


def _guesses(half_planes: Iterable[HalfPlane], band: Band) -> Iterator[Point]:
    """Large sizes of the band, somewhere inside the cone: nearly always one of them will do."""
    low, high = 0.0, float("inf")  # of tokens in per token out
    for a, b, _ in half_planes:
        if a > 0 > b:
            high = min(high, -b / a)
        elif a < 0 < b:
            low = max(low, b / -a)
    total = min(band.total, 2 * LARGEST)
    ratio = (low + high) / 2 if high < float("inf") else 2 * low + 1
    out = max(1, min(band.limit, int(total / (1 + ratio)), LARGEST))
    yield min(total - out, int(ratio * out), LARGEST), out
    yield min(total - out, LARGEST), out
