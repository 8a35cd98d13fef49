"""Bounds proven to the last 10^-12 USD, rows of redundancy, built-in statements, and the JSON of a proof."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations, product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

import aldo
from aldo.schema import Catalog
from aldo.schema.request import request_from_value
from tests.router.drawn_statements import always_of, cases, proof_of, verdict
from tests.router.small_worlds import catalog_of, long_pairs, worlds
from tests.router.verdicts import When, breaks, is_asked
from tests.support.brute import (
    TIERS,
    Model,
    World,
    chain_of,
    dearest,
    ranked,
)
from tests.support.reference_router import Ask
from tests.support.strategies import to_request


@settings(max_examples=150)
@given(worlds(largest=6), st.data())
def test_counting_finds_the_dearest_choice_that_trying_finds(world: World, data: st.DataObject) -> None:
    """The oracle for large sizes against the one for small ones."""
    models = [model for model in world.enabled if model.wanted == "fast-draft"]
    sides = tuple(
        tuple(sorted((data.draw(st.integers(0, 6)), data.draw(st.integers(0, 6))))) for _ in ("tokens in", "tokens out")
    )
    bound = data.draw(st.integers(0, 20))
    firsts = [ranked(models, x, y)[:1] for x, y in product(*(range(low, high + 1) for low, high in sides))]
    tried = any(not first or first[0][1] > bound for first in firsts)
    assert dearest(models, bound, sides) == tried  # type: ignore[arg-type]


def smallest_bound(models: Sequence[Model], sides: Sequence[tuple[int, int]], lost: int) -> int:
    """The least 10^-12 USD that no choice exceeds, whichever models are down."""
    low, high = -1, 10**30
    left = [rest for number in range(lost + 1) for rest in combinations(models, len(models) - number)]
    while high - low > 1:
        middle = (low + high) // 2
        if any(dearest(rest, middle, sides) for rest in left):
            low = middle
        else:
            high = middle
    return high


@settings(max_examples=25)
@given(long_pairs(), st.integers(0, 1), st.data())
def test_a_bound_is_proven_to_the_last_pico_dollar_over_millions_of_sizes(
    pair: tuple[World, World], lost: int, data: st.DataObject
) -> None:
    """The dearest request of a range lies between two whole tokens of the real crossing, and is found there."""
    world = pair[0]
    models = world.cell("fast-draft", "public")
    assume(len(models) > lost)
    room = sorted(model.context for model in models)[-1 - lost]
    most_in = data.draw(st.integers(0, room))
    most_out = data.draw(st.integers(0, room - most_in))
    sides = ((data.draw(st.integers(0, most_in)), most_in), (data.draw(st.integers(0, most_out)), most_out))
    bound = smallest_bound(models, sides, lost)
    when = {
        name: {"atLeast": low, "atMost": high}
        for name, (low, high) in zip(("tokensIn", "maxTokensOut"), sides, strict=True)
    }
    if bound == 10**30:  # an output limit leaves some of the sizes to nobody
        assert verdict(world, **always_of(when, survives=lost)) == "refuted"
        return
    usd, less = (f"{Decimal(max(0, amount)).scaleb(-12):f}" for amount in (bound, bound - 1))
    assume(Decimal(usd) <= 10**9)
    assert verdict(world, **always_of(when, survives=lost)) == "proven"
    assert verdict(world, **always_of(when, survives=lost, costsAtMost=usd)) == "proven"
    if bound:
        statement = always_of(when, survives=lost, costsAtMost=less)
        _, proof = proof_of(world, **statement)
        (found,) = proof.statements
        assert found.verdict == "refuted"
        ask = Ask.of(found.witness)
        assert is_asked(statement["always"][0]["when"], ask.but(down=()), never=False)
        assert len(ask.down) <= lost
        assert breaks(world, statement["always"][0], ask)


def is_served(catalog: Catalog, wanted: str, tier: str, down: Sequence[str]) -> bool:
    ask = Ask(wanted, tier, tokens_in=0, max_tokens_out=0, down=tuple(down))
    try:
        aldo.route(catalog, to_request(ask))
    except aldo.NoEligibleModelError:
        return False
    return True


@settings(max_examples=100)
@given(worlds(most=5))
def test_a_row_of_redundancy_is_what_really_putting_models_down_shows(world: World) -> None:
    """With as many down as are survived somebody is left, whoever they are; with the models of the row nobody is."""
    catalog = catalog_of(world)
    rows = {(row.capability_class, row.privacy): row for row in aldo.prove(catalog).redundancy}
    for wanted in {model.wanted for model in world.enabled}:
        for tier in TIERS:
            cell = sorted(model.id for model in world.cell(wanted, tier))
            row = rows.pop((wanted, tier), None)
            if row is None:
                assert not cell
                continue
            assert sorted(row.models) == cell
            assert row.survives == len(cell) - 1
            assert not is_served(catalog, wanted, tier, row.models)
            if cell:
                assert all(is_served(catalog, wanted, tier, down) for down in combinations(cell, row.survives))
    assert all(not row.models for row in rows.values())


@settings(max_examples=100)
@given(worlds(most=5), st.integers(0, 3))
def test_the_built_in_statements_break_where_an_outage_empties_a_cell(world: World, lost: int) -> None:
    """Vacuous ones do not fail; a refuted one shows a request and at most so many models down."""
    catalog = catalog_of(world)
    proof = aldo.prove(catalog, outages=lost)
    assert proof.statements
    assert proof.holds == all(statement.verdict != "refuted" for statement in proof.statements)
    if any(0 <= row.survives < lost for row in proof.redundancy):
        assert not proof.holds
    for statement in proof.statements:
        assert statement.verdict in ("proven", "refuted", "vacuous")
        assert (statement.witness is not None) == (statement.verdict == "refuted")
        if statement.witness is not None:
            ask = Ask.of(statement.witness)
            assert len(set(ask.down)) <= lost
            if ask.down:
                assert not chain_of(world, ask)
                assert chain_of(world, ask.but(down=()))


@settings(max_examples=30)
@given(cases("always"))
def test_the_json_of_a_proof_holds_requests_that_can_be_asked_again(case: tuple[World, list[When]]) -> None:
    world, statements = case
    _, proof = proof_of(world, always=statements)
    document = json.loads(json.dumps(proof.to_dict()))
    assert document["version"] == 1
    assert [(s["name"], s["verdict"]) for s in document["statements"]] == [
        (s.name, s.verdict) for s in proof.statements
    ]
    for row, statement in zip(document["statements"], proof.statements, strict=True):
        if statement.witness is None:
            assert row.get("witness") is None
        else:
            assert request_from_value(row["witness"]) == statement.witness
    assert [(r["capabilityClass"], r["privacy"], r["models"], r["survives"]) for r in document["redundancy"]] == [
        (r.capability_class, r.privacy, list(r.models), r.survives) for r in proof.redundancy
    ]
