"""Which of a few entries is never first, against a walk along the edge of the sizes that it takes.

Sizes are real numbers there, and another entry takes what is below its limit and one: so far the module says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from hypothesis import event, given, settings
from hypothesis import strategies as st

from aldo.router.facts import Facts
from aldo.router.rank import tie
from aldo.router.reach import never_first
from tests.support.strategies import TIERS

Sizes = tuple[Fraction, Fraction]


def fact(number: int, context: int, limit: int | None, prices: tuple[int, int], latency: float | None) -> Facts:
    tiers = frozenset(TIERS)
    name = f"m{number}"
    return Facts(name, "fast-draft", frozenset(), tiers, "local", context, limit, *prices, latency, True)


FACTS = st.lists(
    st.tuples(
        st.integers(2, 9),
        st.none() | st.integers(1, 6),
        st.tuples(st.integers(0, 4), st.integers(0, 4)),
        st.none() | st.sampled_from([1.0, 2.0]),
    ),
    min_size=2,
    max_size=4,
).map(lambda drawn: [fact(number, *one) for number, one in enumerate(drawn)])


def most_out(facts: Facts) -> int:
    most = facts.context_tokens - 1
    return most if facts.max_output_tokens is None else min(most, facts.max_output_tokens)


def edge(facts: Facts) -> Iterator[tuple[Sizes, Sizes]]:
    """The two segments with the largest sizes that an entry takes."""
    context, out = Fraction(facts.context_tokens), Fraction(most_out(facts))
    yield (context - 1, Fraction(1)), (context - out, out)
    yield (context - out, out), (Fraction(1), out)


def turns(entry: Facts, others: list[Facts], start: Sizes, end: Sizes) -> list[Fraction]:
    """The parts of a segment at which the ranking changes, or who takes the sizes."""
    found = {Fraction(0), Fraction(1)}
    for other in others:
        more = other.pico_in - entry.pico_in, other.pico_out - entry.pico_out
        lines = (
            (more[0], more[1], 0),
            (1, 1, other.context_tokens + 1),
            (0, 1, most_out(other) + 1),
        )
        for a, b, c in lines:
            here, there = (a * x + b * y - c for x, y in (start, end))
            if here != there and 0 <= here / (here - there) <= 1:
                found.add(Fraction(here) / (here - there))
    return sorted(found)


def is_first(entry: Facts, others: list[Facts], sizes: Sizes) -> bool:
    x, y = sizes
    ours = (x * entry.pico_in + y * entry.pico_out, tie(entry))
    return not any(
        x + y < other.context_tokens + 1
        and y < most_out(other) + 1
        and (x * other.pico_in + y * other.pico_out, tie(other)) < ours
        for other in others
    )


def is_first_somewhere(entry: Facts, others: list[Facts]) -> bool:
    for start, end in edge(entry):
        at = turns(entry, others, start, end)
        for part in (*at, *((low + high) / 2 for low, high in pairwise(at))):
            sizes = start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])
            if is_first(entry, others, sizes):
                return True
    return False


@settings(max_examples=800)
@given(FACTS)
def test_an_entry_is_told_exactly_where_it_is_first_nowhere_on_its_edge(drawn: list[Facts]) -> None:
    told = {found.facts.id: found.winners for found in never_first(drawn, frozenset({"local"}))}
    for entry in drawn:
        others = [other for other in drawn if other is not entry]
        event("never first" if entry.id in told else "first somewhere")
        assert (entry.id in told) == (not is_first_somewhere(entry, others))


@settings(max_examples=500)
@given(FACTS)
def test_the_winners_are_enough_to_keep_an_entry_from_being_first(drawn: list[Facts]) -> None:
    for found in never_first(drawn, frozenset({"local"})):
        event(f"{len(found.winners)} winners")
        assert found.facts not in found.winners
        assert not is_first_somewhere(found.facts, list(found.winners))
