"""The property: the replay of a log gives, row by row, what `aldo.route` gives for each request."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.replay.logs import Routed, log_table, one_by_one, outcomes, row_of
from tests.replay.replaying import replayed
from tests.support.reference_router import Ask
from tests.support.strategies import Scenario, build_catalog, compose, crowd, scenarios, to_request


def _asks(scenario: Scenario, seed: int) -> list[Ask]:
    """The scenario's request, and others for the same entries."""
    rng = random.Random(seed)
    ids = [entry["id"] for entry in scenario.entries]
    return [scenario.ask, *(compose(rng.choice, ids).ask for _ in range(30))]


@settings(max_examples=60)
@given(scenario=scenarios(), other=scenarios(), seed=st.integers(0, 2**32))
def test_a_replayed_log_gives_what_route_gives(scenario: Scenario, other: Scenario, seed: int) -> None:
    rows = [row_of(to_request(ask)) for ask in (*_asks(scenario, seed), *_asks(other, seed))]
    base, head = scenario.catalog(), other.catalog()
    found = replayed(log_table(rows), base, head)
    ours, theirs = ([one_by_one(catalog, row) for row in rows] for catalog in (base, head))
    assert outcomes(found) == ours
    assert outcomes(found, "againstModel", "againstClassUsed", "againstEstimatedUsd", "againstError") == theirs
    assert [row["change"] for row in found] == [_change(a, b) for a, b in zip(ours, theirs, strict=True)]


def _change(base: Routed, head: Routed) -> str:
    if base.model and head.model:
        return "same" if base[:2] == head[:2] else "rerouted"
    return "unroutable" if base.model else "routable" if head.model else "same"


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), size=st.sampled_from((40, 150)))
def test_so_it_does_for_large_catalogs_whose_candidates_make_each_other_superfluous(seed: int, size: int) -> None:
    scenario, asks = crowd(seed, size)
    rng = random.Random(seed)
    asks += [
        ask.but(
            tokens_in=rng.choice((0, 1, rng.randrange(10**6))), max_tokens_out=rng.choice((0, 1, rng.randrange(2000)))
        )
        for ask in asks
        for _ in range(5)
    ]
    rows = [row_of(to_request(ask)) for ask in asks]
    catalog = scenario.catalog()
    assert outcomes(replayed(log_table(rows), catalog)) == [one_by_one(catalog, row) for row in rows]


@settings(max_examples=15)
@given(scenario=scenarios(), seed=st.integers(0, 2**32), tokens=st.sampled_from((10**9, 10**12)))
def test_so_it_does_where_costs_need_more_than_64_bits(scenario: Scenario, seed: int, tokens: int) -> None:
    dear = {"usdPerMtokIn": 10**9, "usdPerMtokOut": "999999999.999999"}
    rng = random.Random(seed)
    large = [{**entry, "effectiveContextTokens": tokens, "servedContextTokens": tokens} for entry in scenario.entries]
    for entry in large:
        entry["cost"] = rng.choice((dear, dear, entry["cost"]))
        entry.pop("maxOutputTokens", None)
    catalog = build_catalog(large, scenario.widened)
    asks = _asks(scenario, seed)
    asks += [ask.but(tokens_in=tokens - rng.choice((0, 1, 7)), max_tokens_out=rng.choice((0, 1, 7, 8))) for ask in asks]
    rows = [row_of(to_request(ask)) for ask in asks]
    assert outcomes(replayed(log_table(rows), catalog)) == [one_by_one(catalog, row) for row in rows]
