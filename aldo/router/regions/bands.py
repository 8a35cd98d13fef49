"""Sizes cut at every context and every output limit, so that within a band the same entries fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aldo.router.group import Group
from aldo.router.regions.lattice import LARGEST, HalfPlane


class Band(NamedTuple):
    """Sizes between the same two contexts and the same two output limits, so that the same entries take them."""

    over: int
    """`tokensIn + maxTokensOut` is more than this, -1 where it may be 0, and at most `total`."""
    total: int
    above: int
    """`maxTokensOut` is more than this, -1 where it may be 0, and at most `limit`."""
    limit: int

    @property
    def half_planes(self) -> tuple[HalfPlane, ...]:
        return ((-1, -1, -self.over - 1), (1, 1, self.total), (0, -1, -self.above - 1), (0, 1, self.limit))


def bands(groups: Sequence[Group]) -> Iterator[Band]:
    """The sizes that some group takes, cut at every context and every output limit."""
    contexts = sorted({context for group in groups for context in group.contexts})
    limits = [*sorted({limit for group in groups for limit in group.limits if limit < LARGEST}), LARGEST]
    for place, total in reversed(list(enumerate(contexts))):
        over = contexts[place - 1] if place else -1
        for at, limit in enumerate(limits):
            above = limits[at - 1] if at else -1
            if above < min(total, limit):
                yield Band(over, total, above, limit)
