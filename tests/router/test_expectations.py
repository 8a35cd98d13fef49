"""Examples of routing: what comes of a request is held against every field of what was expected, and said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.router import route
from aldo.router.examples import ExampleResult, Mismatch, recorded, run_tests
from aldo.schema import Catalog, RouteRequest
from aldo.schema.route_tests import Expected, RouteTest, RouteTests
from tests.support.entries import entry
from tests.support.reference_router import chain, emptied_by
from tests.support.strategies import TIERS, Scenario, routable, scenarios, try_route, unroutable

FIELDS = ("model", "classUsed", "locality", "estimatedUsd", "alternates")
EVERYWHERE = {"local", "on-prem", "cloud"}


def outcome(catalog: Catalog, request: RouteRequest, **expect: Any) -> ExampleResult:
    test = RouteTest(name="one", request=request, expect=Expected.model_validate(expect))
    (result,) = run_tests(catalog, RouteTests(tests=(test,)))
    assert result.test is test
    assert result.passed == (result.mismatches == ())
    return result


def mismatches(scenario: Scenario, **expect: Any) -> list[tuple[str, str, str]]:
    """Field, expected and got of each mismatch."""
    told = outcome(scenario.catalog(), scenario.request, **expect).mismatches
    return [(one.field, one.expected, one.got) for one in told]


def truth(scenario: Scenario) -> dict[str, Any]:
    """Every field of what the reference says comes of the request."""
    decision = scenario.expected()
    assert decision is not None
    return {
        "model": decision.model,
        "classUsed": decision.class_used,
        "locality": scenario.entry(decision.model)["locality"],
        "estimatedUsd": decision.estimated_usd,
        "alternates": list(decision.alternates),
    }


def wrong(field: str, right: Any) -> tuple[Any, str]:
    """Another value of a field, and how it is written."""
    if field == "locality":
        others = sorted(EVERYWHERE - {right})
        return others, " or ".join(others)
    if field == "estimatedUsd":
        return "77.5", "77.5"
    if field == "alternates":
        return ([], "none") if right else (["z", "y"], "z, y")
    return ["no-such", "nor-this"], "no-such or nor-this"


@settings(max_examples=100)
@given(routable())
def test_the_whole_truth_passes_and_any_of_several_values_does(scenario: Scenario) -> None:
    right = truth(scenario)
    assert mismatches(scenario, **right) == []
    assert mismatches(scenario, refusal=False) == []
    for field in ("model", "classUsed"):
        assert mismatches(scenario, **{field: ["no-such", right[field]]}) == []
    assert mismatches(scenario, locality=sorted(EVERYWHERE)) == []


@settings(max_examples=100)
@given(routable(), st.sets(st.sampled_from(FIELDS), min_size=1))
def test_exactly_the_fields_that_are_wrong_are_told_with_both_values(scenario: Scenario, fields: set[str]) -> None:
    right = truth(scenario)
    expect, told = dict(right), []
    for field in FIELDS:
        if field in fields:
            expect[field], said = wrong(field, right[field])
            got = ", ".join(right[field]) or "none" if field == "alternates" else right[field]
            told.append((field, said, got))
    assert mismatches(scenario, **expect) == told


@settings(max_examples=60)
@given(routable())
def test_a_refusal_that_is_none_is_told_with_the_decision(scenario: Scenario) -> None:
    right = truth(scenario)
    got = f"{right['model']} ({right['classUsed']})"
    assert mismatches(scenario, refusal=True) == [("refusal", "a refusal", got)]
    assert mismatches(scenario, refusal="DOWN") == [("refusal", "a refusal at DOWN", got)]


@settings(max_examples=100)
@given(unroutable())
def test_a_refusal_passes_where_it_was_expected_at_one_of_its_stages_alone(scenario: Scenario) -> None:
    emptied = {emptied_by(scenario.entries, scenario.ask, name, scenario.sensitive) for name in scenario.ask.classes()}
    assert mismatches(scenario, refusal=True) == []
    for code in ("CLASS", "DOWN", "EXCLUDED", "PRIVACY_TIER"):
        told = mismatches(scenario, refusal=code)
        assert (told == []) == (code in emptied)
        assert [one[:2] for one in told] == ([] if code in emptied else [("refusal", code)])
        assert all(got.startswith("no eligible model") for _, _, got in told)


@settings(max_examples=60)
@given(unroutable(), st.sampled_from(FIELDS))
def test_a_refusal_that_nobody_expected_is_told_once_for_the_first_field(scenario: Scenario, field: str) -> None:
    value, said = wrong(field, "local" if field == "locality" else [])
    (told,) = mismatches(scenario, **{field: value})
    assert told[:2] == (field, said)
    assert told[2].startswith("no eligible model")
    (told,) = mismatches(scenario, refusal=False)
    assert told[:2] == ("refusal", "a model")


def test_a_name_that_nobody_knows_is_no_refusal() -> None:
    catalog = plain(entry("a"))
    for expect in ({"refusal": True}, {"refusal": "CLASS"}, {"model": "a"}):
        (told,) = outcome(catalog, RouteRequest(capability_class="fast-drat", privacy="public"), **expect).mismatches
        assert told[:2] == ("request", "names that the catalog knows")
        assert "did you mean 'fast-draft'?" in told.got
        assert told.why == ""


def plain(*entries: dict[str, Any]) -> Catalog:
    return Catalog.model_validate(
        {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": [dict(one) for one in entries]}
    )


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        (["far"], "near outranks it by locality: the chosen entry is nearer than cloud"),
        (["far", "small"], "near outranks it by locality: the chosen entry is nearer than cloud"),
        (
            ["small", "far"],
            "small is dropped at CONTEXT_TOO_SMALL: tokensIn 256 + maxTokensOut 1024 = 1280, its context is 9",
        ),
        (["gone"], "gone is not in the catalog"),
    ],
)
def test_a_model_that_is_another_says_why_of_the_first_that_was_expected(expected: list[str], why: str) -> None:
    catalog = plain(entry("near", locality="local"), entry("far"), entry("small", effectiveContextTokens=9))
    request = RouteRequest(capability_class="fast-draft", privacy="public")
    (told,) = outcome(catalog, request, model=expected, locality=["local"]).mismatches
    assert told == Mismatch("model", " or ".join(expected), "near", why)
    (told,) = outcome(catalog, request, model="near", locality="cloud").mismatches
    assert told == Mismatch("locality", "cloud", "local", "")


def test_alternates_are_compared_as_they_are() -> None:
    """`none` is a word for no alternates, and may be the name of one."""
    request = RouteRequest(capability_class="fast-draft", privacy="public")
    alone, both = plain(entry("a")), plain(entry("a"), entry("none"))
    assert outcome(alone, request, alternates=[]).passed
    assert not outcome(alone, request, alternates=["none"]).passed
    assert outcome(both, request, alternates=["none"]).passed
    assert not outcome(both, request, alternates=[]).passed


@settings(max_examples=100)
@given(scenarios())
def test_what_is_recorded_holds_and_says_what_the_router_says(scenario: Scenario) -> None:
    """For each class and tier one plain request, in order; the model and its place, or that nothing serves it."""
    catalog = scenario.catalog()
    tests = recorded(catalog).tests
    assert all(result.passed for result in run_tests(catalog, RouteTests(tests=tests)))
    classes = sorted({one["capabilityClass"] for one in scenario.entries})
    plain_requests = [RouteRequest(capability_class=name, privacy=tier) for name in classes for tier in TIERS]
    assert [test.request for test in tests] == plain_requests
    for test in tests:
        assert test.name == f"{test.request.capability_class} for {test.request.privacy}"
        decision = try_route(catalog, test.request)
        if decision is None:
            assert test.expect == Expected(refusal=True)
        else:
            place = scenario.entry(decision.model)["locality"]
            assert test.expect == Expected(model=(decision.model,), locality=(place,))


@settings(max_examples=60)
@given(routable())
def test_every_example_has_one_result_in_its_order(scenario: Scenario) -> None:
    catalog, request = scenario.catalog(), scenario.request
    names = [one["id"] for one in chain(scenario.entries, scenario.ask, scenario.sensitive)]
    tests = [RouteTest(name=name, request=request, expect=Expected(model=(name,))) for name in names]
    results = list(run_tests(catalog, RouteTests(tests=tuple(tests))))
    assert [result.test for result in results] == tests
    assert [result.passed for result in results] == [name == route(catalog, request).model for name in names]
