"""Sizes and budget traded for each other: what is advised is held against trying every pair of sizes."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from aldo.router.facts import Facts
from aldo.router.sizes import size_changes
from aldo.schema import RouteRequest
from tests.support.strategies import PICO

FIELDS = ("tokensIn", "maxTokensOut", "budgetUsd")


class Case(NamedTuple):
    """An entry, a request that may be too large or too dear for it, and the least that a size is lowered to."""

    context: int
    limit: int | None
    price_in: int
    price_out: int
    tokens_in: int
    tokens_out: int
    budget: int | None
    floor: int

    @property
    def facts(self) -> Facts:
        return Facts(
            id="only",
            capability_class="fast-draft",
            provides=frozenset(),
            privacy_allowed=frozenset({"public"}),
            locality="cloud",
            context_tokens=self.context,
            max_output_tokens=self.limit,
            pico_in=self.price_in,
            pico_out=self.price_out,
            latency_p95_ms=None,
            enabled=True,
        )

    def cost(self, tokens_in: int, tokens_out: int) -> int:
        return tokens_in * self.price_in + tokens_out * self.price_out

    def takes(self, tokens_in: int, tokens_out: int) -> bool:
        return tokens_in + tokens_out <= self.context and (self.limit is None or tokens_out <= self.limit)

    def affords(self, tokens_in: int, tokens_out: int) -> bool:
        return self.budget is None or self.cost(tokens_in, tokens_out) <= self.budget

    def told(self) -> dict[frozenset[str], dict[str, object]]:
        """Per set of fields what they become."""
        request = RouteRequest(
            capability_class="fast-draft",
            privacy="public",
            tokens_in=self.tokens_in,
            max_tokens_out=self.tokens_out,
            budget_usd=None if self.budget is None else self.budget * PICO,
        )
        found = size_changes(self.facts, request, self.floor)
        asked = {"tokensIn": self.tokens_in, "maxTokensOut": self.tokens_out, "budgetUsd": request.budget_usd}
        for changes in found:
            assert all(change.before == asked[change.field] != change.after for change in changes)
        told = {frozenset(change.field for change in one): {c.field: c.after for c in one} for one in found}
        assert len(told) == len(found)
        return told

    def pairs(self, fields: frozenset[str]) -> list[tuple[int, int]]:
        """Every pair of sizes that the entry would take after a change of these fields alone."""
        ins = range(self.floor, self.tokens_in) if "tokensIn" in fields else [self.tokens_in]
        outs = range(self.floor, self.tokens_out) if "maxTokensOut" in fields else [self.tokens_out]
        return [(x, y) for x in ins for y in outs if self.takes(x, y) and ("budgetUsd" in fields or self.affords(x, y))]

    def smallest(self) -> set[frozenset[str]]:
        fields = FIELDS if self.budget is not None else FIELDS[:2]
        helpful: list[frozenset[str]] = []
        for number in range(len(fields) + 1):
            for some in map(frozenset, combinations(fields, number)):
                if not any(other <= some for other in helpful) and self.pairs(some):
                    helpful.append(some)
        return set(helpful)


SMALL = st.integers(0, 12)
CASES = st.builds(
    Case,
    context=st.integers(1, 16),
    limit=st.none() | st.integers(1, 12),
    price_in=st.integers(0, 5),
    price_out=st.integers(0, 5),
    tokens_in=SMALL,
    tokens_out=SMALL,
    budget=st.none() | st.integers(0, 60),
    floor=st.sampled_from((0, 1)),
)


@settings(max_examples=500)
@given(CASES)
def test_nothing_is_told_that_is_not_among_the_smallest_sets_that_help(case: Case) -> None:
    told = case.told()
    event(f"{len(told)} ways")
    assert set(told) <= case.smallest()


@settings(max_examples=500)
@given(CASES)
def test_every_smallest_set_of_one_size_or_the_budget_is_told(case: Case) -> None:
    """Whether one field is enough, or a size and a budget, is never missed; nor whether anything helps at all."""
    told, smallest = case.told(), case.smallest()
    both = frozenset(FIELDS[:2])
    assert {fields for fields in smallest if not both <= fields} <= set(told)
    assert bool(told) == bool(smallest)


def test_every_smallest_set_is_told_where_the_prompt_is_much_dearer_than_the_answer() -> None:
    """One token each costs 7 of a budget of 8."""
    case = Case(100, None, 6, 1, tokens_in=10, tokens_out=10, budget=8, floor=1)
    assert (1, 1) in case.pairs(frozenset(FIELDS[:2]))
    assert set(case.told()) == case.smallest()


@settings(max_examples=300)
@given(CASES)
def test_without_a_budget_every_smallest_set_is_told(case: Case) -> None:
    free = case._replace(budget=None)
    assert set(free.told()) == free.smallest()


@settings(max_examples=500)
@given(CASES)
def test_one_size_is_lowered_no_further_than_it_must(case: Case) -> None:
    for fields, after in case.told().items():
        pairs = case.pairs(fields)
        sizes = after.get("tokensIn", case.tokens_in), after.get("maxTokensOut", case.tokens_out)
        assert sizes in pairs
        if not fields >= set(FIELDS[:2]):
            assert sizes == max(pairs)
        else:  # where both are lowered, the prompt takes all that the answer leaves
            assert sizes[0] == max(x for x, y in pairs if y == sizes[1])


@settings(max_examples=500)
@given(CASES)
def test_a_budget_grows_to_the_cost_exactly(case: Case) -> None:
    assume(case.budget is not None)
    for after in case.told().values():
        tokens_in, tokens_out = (
            after.get("tokensIn", case.tokens_in),
            after.get("maxTokensOut", case.tokens_out),
        )
        if "budgetUsd" in after:
            assert after["budgetUsd"] == case.cost(int(str(tokens_in)), int(str(tokens_out))) * PICO


@pytest.mark.parametrize(
    ("case", "after"),
    [
        # Both too long: the answer gets half of the context, and the prompt the rest.
        (Case(9, None, 0, 0, 20, 20, None, 1), {"tokensIn": 5, "maxTokensOut": 4}),
        (Case(1, None, 0, 0, 20, 20, None, 0), {"tokensIn": 1, "maxTokensOut": 0}),
        (Case(2, None, 0, 0, 20, 20, None, 1), {"tokensIn": 1, "maxTokensOut": 1}),
        (Case(9, 3, 0, 0, 20, 20, None, 1), {"tokensIn": 6, "maxTokensOut": 3}),
    ],
)
def test_where_both_sizes_are_too_long_the_answer_takes_half(case: Case, after: dict[str, int]) -> None:
    assert case.told() == {frozenset(after): after}


def test_where_both_are_too_dear_the_answer_takes_half_of_the_budget() -> None:
    case = Case(100, None, 2, 3, 20, 20, budget=24, floor=1)
    assert case.told() == {
        frozenset(FIELDS[:2]): {"tokensIn": 6, "maxTokensOut": 4},
        frozenset(FIELDS[2:]): {"budgetUsd": Decimal(100) * PICO},
    }
