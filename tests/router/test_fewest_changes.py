"""The changes that relaxations and `why_not` propose: each field once, to where it must go, the gentlest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings

from aldo.errors import NoEligibleModelError
from aldo.router import route, why_not
from aldo.schema import Change, Relaxation
from tests.support.entries import entry
from tests.support.reference_router import Ask, reachable
from tests.support.strategies import TIERS, Scenario, build_catalog, routable, to_request, unroutable

GENTLEST_FIRST = (
    "down",
    "exclude",
    "pin",
    "localities",
    "maxTokensOut",
    "budgetUsd",
    "requires",
    "tokensIn",
    "fallbackClasses",
    "privacy",
)


def relaxed(entries: Sequence[dict[str, Any]], ask: Ask, widened: Sequence[str] | None = None) -> list[Relaxation]:
    with pytest.raises(NoEligibleModelError) as raised:
        route(build_catalog(entries, widened), to_request(ask))
    return list(raised.value.relaxations)


def plainly(told: Sequence[Relaxation]) -> list[dict[str, Any]]:
    return [relaxation.to_dict() for relaxation in told]


def places(changes: Sequence[Change]) -> list[int]:
    return [GENTLEST_FIRST.index(change.field) for change in changes]


@settings(max_examples=200)
@given(unroutable())
def test_relaxations_stand_in_the_order_of_what_they_take_from_the_caller(scenario: Scenario) -> None:
    """Fewest changes first, then by the hardest of them; within one the gentlest change first."""
    told = [places(one.changes) for one in relaxed(scenario.entries, scenario.ask, scenario.widened)]
    assert told == [sorted(one) for one in told]
    assert told == sorted(told, key=lambda one: (len(one), one[::-1]))


@settings(max_examples=200)
@given(unroutable())
def test_a_relaxation_names_the_model_that_its_request_is_routed_to(scenario: Scenario) -> None:
    for one in relaxed(scenario.entries, scenario.ask, scenario.widened):
        assert route(scenario.catalog(), one.apply(scenario.request)).model == one.model


@settings(max_examples=100)
@given(unroutable())
def test_an_embedding_model_is_no_advice_for_a_chat_wherever_it_stands(scenario: Scenario) -> None:
    vectors = [
        entry(name, capabilityClass="embeddings", locality="local", privacyAllowed=list(TIERS), provides=["streaming"])
        for name in ("0-first", "zz-last")
    ]
    held = [one for one in scenario.entries if one["capabilityClass"] != "embeddings"]
    ask = scenario.ask.but(pin=None)
    if "embeddings" not in ask.classes() and held:
        told = plainly(relaxed(held, ask, scenario.widened))
        assert plainly(relaxed([*vectors, *held], ask, scenario.widened)) == told


def assert_changes(scenario: Scenario) -> None:
    for one in scenario.entries:
        if not reachable(one, scenario.sensitive):
            continue
        told = why_not(scenario.catalog(), scenario.request, one["id"])
        changed = {change.field: change for change in told.changes}
        assert len(changed) == len(told.changes)
        data = scenario.request.model_dump(by_alias=True)
        assert all(change.before == data[change.field] != change.after for change in told.changes)
        pinned_elsewhere = scenario.ask.pin not in (None, one["id"])
        if pinned_elsewhere or told.verdict == "outranked":
            assert changed["pin"].after == one["id"]
        for field in ("exclude", "down"):
            names = getattr(scenario.ask, field)
            assert (field in changed) == (one["id"] in names)
            if field in changed:
                assert changed[field].after == tuple(name for name in names if name != one["id"])


@settings(max_examples=150)
@given(unroutable())
def test_each_field_is_changed_once_and_a_pin_elsewhere_is_set_here_where_nothing_was_eligible(
    scenario: Scenario,
) -> None:
    assert_changes(scenario)


@settings(max_examples=150)
@given(routable())
def test_each_field_is_changed_once_and_a_pin_elsewhere_is_set_here_where_something_is_chosen(
    scenario: Scenario,
) -> None:
    assert_changes(scenario)


ASK = Ask("fast-draft", "internal")


@pytest.mark.parametrize(
    ("held", "changes", "change"),
    [
        # The nearest tier that may go there: the more protected ones come first.
        ({"privacyAllowed": ["public"]}, {}, ("privacy", "internal", "public")),
        ({"privacyAllowed": ["public", "sensitive"], "locality": "local"}, {}, ("privacy", "internal", "sensitive")),
        ({"privacyAllowed": ["public", "sensitive"]}, {}, ("privacy", "internal", "public")),
        ({"privacyAllowed": ["public", "internal"]}, {"privacy": "sensitive"}, ("privacy", "sensitive", "internal")),
        ({"privacyAllowed": ["internal"]}, {"privacy": "public"}, ("privacy", "public", "internal")),
        # What it provides is kept, in the order in which it was asked for.
        ({}, {"requires": ("vision", "audio-in", "streaming")}, ("requires", ..., ("vision", "streaming"))),
        # Places are added in their own order.
        ({}, {"localities": ("on-prem", "local")}, ("localities", ..., ("local", "on-prem", "cloud"))),
        ({"capabilityClass": "reasoning-large"}, {}, ("fallbackClasses", (), ("reasoning-large",))),
        (
            {"capabilityClass": "reasoning-large"},
            {"fallback_classes": ("reasoning-small",)},
            ("fallbackClasses", ("reasoning-small",), ("reasoning-small", "reasoning-large")),
        ),
        ({}, {"exclude": ("x", "only", "y")}, ("exclude", ..., ("x", "y"))),
        ({}, {"down": ("x", "only", "y")}, ("down", ..., ("x", "y"))),
    ],
)
def test_one_obstacle_is_one_change_to_where_it_must_go(
    held: dict[str, Any], changes: dict[str, Any], change: tuple[str, Any, Any]
) -> None:
    ask = ASK.but(**changes)
    field, before, after = change
    before = changes[field] if before is ... else before
    expected = (Change(field=field, before=before, after=after),)
    catalog = build_catalog([entry("only", **held)])
    assert why_not(catalog, to_request(ask), "only").changes == expected
    told = relaxed([entry("only", **held)], ask)
    assert told == [Relaxation(changes=expected, model="only")]


def test_a_relaxation_unpins_and_why_not_pins() -> None:
    entries = [entry("out", enabled=False), entry("only")]
    ask = ASK.but(pin="out")
    assert relaxed(entries, ask) == [Relaxation(changes=(Change(field="pin", before="out", after=None),), model="only")]
    told = why_not(build_catalog(entries), to_request(ask), "only")
    assert told.changes == (Change(field="pin", before="out", after="only"),)


@pytest.mark.parametrize("order", [("few", "many"), ("many", "few")])
def test_of_several_that_need_the_same_fields_changed_the_nearest_is_proposed(order: tuple[str, str]) -> None:
    """The one that keeps more tags, though the other is cheaper and nearer."""
    asked = ("audio-in", "streaming", "vision")
    held = {
        "few": entry("few", provides=["vision"], locality="local", cost={"usdPerMtokIn": 0, "usdPerMtokOut": 0}),
        "many": entry("many", provides=["streaming", "vision"]),
    }
    (told,) = relaxed([held[name] for name in order], ASK.but(requires=asked))
    assert told.changes == (Change(field="requires", before=asked, after=("streaming", "vision")),)
