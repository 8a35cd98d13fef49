"""What `aldo.prove` must say, held to every request of small worlds."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

import aldo
from aldo.errors import AldoError
from tests.router.drawn_statements import cases, proof_of
from tests.router.small_worlds import asks
from tests.router.verdicts import When, breaks, fixed, is_asked, is_meant, listed, sized, verdict_always, verdict_never
from tests.support.brute import (
    World,
)
from tests.support.reference_router import Ask
from tests.support.strategies import to_request


@settings(max_examples=100)
@given(cases("never"))
def test_a_never_is_refuted_exactly_when_some_request_has_it_chosen_or_alternate(
    case: tuple[World, list[When]],
) -> None:
    world, statements = case
    _, proof = proof_of(world, never=statements)
    said = {statement.name: statement.verdict for statement in proof.statements}
    assert said == {statement["name"]: verdict_never(world, statement) for statement in statements}
    assert proof.holds == (set(said.values()) == {"proven"})


@settings(max_examples=100)
@given(cases("always"))
def test_an_always_is_refuted_exactly_when_some_request_and_outage_breaks_it(case: tuple[World, list[When]]) -> None:
    world, statements = case
    _, proof = proof_of(world, always=statements)
    said = {statement.name: statement.verdict for statement in proof.statements}
    assert said == {statement["name"]: verdict_always(world, statement) for statement in statements}
    assert proof.holds == (set(said.values()) == {"proven"})


@settings(max_examples=150)
@given(cases("never"))
def test_the_witness_against_a_never_is_asked_and_chooses_what_it_may_not(case: tuple[World, list[When]]) -> None:
    world, statements = case
    catalog, proof = proof_of(world, never=statements)
    for statement, given_one in zip(proof.statements, statements, strict=True):
        assert statement.name == given_one["name"]
        assert (statement.witness is not None) == (statement.verdict == "refuted")
        if statement.witness is not None:
            decision = aldo.route(catalog, statement.witness)
            chain = (decision.model, *decision.alternates)
            assert any(is_meant(given_one["chooses"], entry) for entry in world.entries if entry["id"] in chain)
            assert is_asked(given_one.get("when", {}), Ask.of(statement.witness), never=True)


@settings(max_examples=150)
@given(cases("always"))
def test_the_witness_against_an_always_is_asked_and_breaks_it(case: tuple[World, list[When]]) -> None:
    """Its `down` holds what the statement says and no more models than it must survive."""
    world, statements = case
    catalog, proof = proof_of(world, always=statements)
    for statement, given_one in zip(proof.statements, statements, strict=True):
        assert statement.name == given_one["name"]
        assert (statement.witness is not None) == (statement.verdict == "refuted")
        if statement.witness is not None:
            ask, when = Ask.of(statement.witness), given_one["when"]
            said = set(when.get("down", ()))
            assert said <= set(ask.down)
            assert len(set(ask.down) - said) <= given_one.get("survives", 0)
            assert is_asked(when, ask.but(down=tuple(said)), never=False)
            assert breaks(world, given_one, ask)
            try:
                usd = aldo.route(catalog, statement.witness).estimated_usd
            except aldo.NoEligibleModelError:
                continue
            assert Decimal(usd) > Decimal(given_one["costsAtMost"])


@settings(max_examples=60)
@given(cases("never", 3), st.data())
def test_no_request_breaks_a_never_that_is_proven(case: tuple[World, list[When]], data: st.DataObject) -> None:
    """Nor with any pin, losses, places and budget that the statement leaves open."""
    world, statements = case
    catalog, proof = proof_of(world, never=statements)
    ids = (*(entry["id"] for entry in world.entries), "ghost")
    for statement, given_one in zip(proof.statements, statements, strict=True):
        if statement.verdict != "proven":
            continue
        when = given_one.get("when", {})
        for ask in data.draw(st.lists(asks(world, world), min_size=10, max_size=10)):
            lists = {name: (*getattr(ask, name), *when.get(name, ())) for name in ("requires", "exclude", "down")}
            ask = ask.but(
                **lists | fixed({name: value for name, value in when.items() if name not in lists}),
                capability_class=data.draw(st.sampled_from(listed(when.get("capabilityClass", ask.capability_class)))),
                privacy=data.draw(st.sampled_from(listed(when.get("privacy", ask.privacy)))),
                fallback_classes=tuple(when.get("fallbackClasses", ask.fallback_classes)),
            )
            lost = tuple(data.draw(st.lists(st.sampled_from(ids), max_size=2)))
            ask = ask.but(down=(*ask.down, *lost), pin=ask.pin or data.draw(st.sampled_from((None, None, *ids[:-1]))))
            tokens_in, out = data.draw(st.sampled_from(sized(when, world, never=True) or [(0, 0)]))
            ask = ask.but(tokens_in=tokens_in, max_tokens_out=out)
            if not is_asked(when, ask, never=True):
                continue
            try:
                decision = aldo.route(catalog, to_request(ask))
            except AldoError:
                continue
            chain = (decision.model, *decision.alternates)
            assert not any(is_meant(given_one["chooses"], entry) for entry in world.entries if entry["id"] in chain)


@settings(max_examples=60)
@given(cases("always"))
def test_the_order_of_the_file_changes_no_verdict(case: tuple[World, list[When]]) -> None:
    world, statements = case
    _, proof = proof_of(world, always=statements)
    turned = World(tuple(reversed(world.entries)), world.sensitive, world.classes)
    _, again = proof_of(turned, always=list(reversed(statements)))
    assert {(s.name, s.verdict, s.witness) for s in again.statements} == {
        (s.name, s.verdict, s.witness) for s in proof.statements
    }
    assert {row[:2]: row for row in again.redundancy} == {row[:2]: row for row in proof.redundancy}
