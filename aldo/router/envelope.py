"""The cheapest of several entries, for every mix of sizes: the lower envelope of their linear costs.

The cost of a request is `tokens_in * in + tokens_out * out`, so which of two entries is cheaper depends on the
proportion of the sizes alone. Sorted by the price of input, the entries that are cheapest somewhere are the
corners of the lower left hull of all prices; between two neighbours lies one proportion at which they cost the same,
and there ties decide. So do they where one of the sizes is zero and its price counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aldo.router.facts import Facts
from aldo.router.rank import tie


class Envelope:
    """Of entries of one locality that all take a request: which is the cheapest, ties broken as `rank` does."""

    __slots__ = ("corners", "free", "only_in", "only_out", "sole", "steps")

    def __init__(self, members: Iterable[Facts]) -> None:
        by_tie = sorted(members, key=tie)
        # `min` gives the first of equals, and the first is the one that wins the tie.
        self.free: Facts = by_tie[0]
        self.only_in: Facts = min(by_tie, key=lambda f: f.pico_in)
        self.only_out: Facts = min(by_tie, key=lambda f: f.pico_out)
        stairs = _staircase(by_tie)
        self.corners: tuple[Facts, ...] = _hull(stairs)
        places = {id(facts): place for place, facts in enumerate(stairs)}
        self.steps: tuple[Step, ...] = tuple(
            _step(stairs[places[id(a)] : places[id(b)] + 1])
            for a, b in zip(self.corners, self.corners[1:], strict=False)
        )
        self.sole: Facts | None = self.corners[0] if not self.steps else None
        """The one that is the cheapest for all sizes of which none is zero, if one is."""

    def is_like(self, other: Envelope) -> bool:
        """Whether both have the same winners everywhere. Entries count as the same if they are one object."""
        return (
            self.free is other.free
            and self.only_in is other.only_in
            and self.only_out is other.only_out
            and len(self.corners) == len(other.corners)
            and all(a is b for a, b in zip(self.corners, other.corners, strict=True))
            and all(a[2] is b[2] for a, b in zip(self.steps, other.steps, strict=True))
        )

    def best(self, tokens_in: int, tokens_out: int) -> Facts:
        """The cheapest for these sizes."""
        if not tokens_in or not tokens_out:
            return self.only_in if tokens_in else self.only_out if tokens_out else self.free
        low, high = 0, len(self.steps)
        while low < high:
            middle = (low + high) >> 1
            more_in, less_out, tied = self.steps[middle]
            dearer, cheaper = tokens_in * more_in, tokens_out * less_out
            if dearer < cheaper:
                low = middle + 1
            elif dearer > cheaper:
                high = middle
            else:
                return tied
        return self.corners[low]


Step = tuple[int, int, Facts]
"""From a corner to the next: how much dearer its input, how much cheaper its output (10⁻¹² USD per token), and who
comes first where the two cost the same."""


def _staircase(by_tie: Sequence[Facts]) -> list[Facts]:
    """Those that no other undercuts on one side without being dearer on the other, by the price of input."""
    stairs: list[Facts] = []
    for facts in sorted(by_tie, key=lambda f: (f.pico_in, f.pico_out)):  # stable: of equal prices the tie decides
        if not stairs or facts.pico_out < stairs[-1].pico_out:
            stairs.append(facts)
    return stairs


def _hull(stairs: Sequence[Facts]) -> tuple[Facts, ...]:
    """Those of a staircase that are the cheapest for some proportion, alone."""
    hull: list[Facts] = []
    for facts in stairs:
        while len(hull) > 1 and not _below(hull[-2], hull[-1], facts):
            hull.pop()
        hull.append(facts)
    return tuple(hull)


def _below(left: Facts, middle: Facts, right: Facts) -> bool:
    """Whether the prices of `middle` lie below the line from `left` to `right`."""
    run, rise = right.pico_in - left.pico_in, right.pico_out - left.pico_out
    return (middle.pico_in - left.pico_in) * rise > (middle.pico_out - left.pico_out) * run


def _step(stairs: Sequence[Facts]) -> Step:
    """From the first of some stairs to the last, two corners. No stair before or behind them is as cheap between."""
    here, there = stairs[0], stairs[-1]
    more_in, less_out = there.pico_in - here.pico_in, here.pico_out - there.pico_out
    # Both cost the same for less_out tokens in and more_in tokens out, and so does all that lies between them.
    cost = here.cost(less_out, more_in)
    return more_in, less_out, min((f for f in stairs if f.cost(less_out, more_in) == cost), key=tie)
