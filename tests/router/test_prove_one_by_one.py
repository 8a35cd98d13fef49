"""Single statements about catalogs of one to three entries: fallbacks, vacuity, defaults, outages, bounds."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from aldo.errors import AldoError, UnknownNameError
from aldo.schema import RoutingPolicy
from tests.router.drawn_statements import SMALL, always_of, never_of, one, proof_of, verdict
from tests.router.verdicts import When
from tests.support.brute import (
    World,
)


def test_a_class_is_left_by_a_fallback_unless_the_statement_says_none() -> None:
    world = World((one(), one("b", capabilityClass="embeddings")))
    statement = never_of({"capabilityClass": "embeddings"}, capabilityClass="fast-draft")
    assert verdict(world, **statement) == "refuted"
    assert verdict(world, **never_of({"id": "b"}, capabilityClass="fast-draft", fallbackClasses=[])) == "proven"
    assert verdict(world, **never_of({"id": "b"}, fallbackClasses=["embeddings"])) == "refuted"
    assert verdict(world, **never_of({"id": "b"}, fallbackClasses=["fast-draft"])) == "refuted"
    later = never_of({"id": "b"}, capabilityClass="fast-draft", fallbackClasses=["coding-frontier"])
    assert verdict(world, **later) == "proven"


def test_an_alternate_refutes_a_never_as_the_chosen_does() -> None:
    world = World((one(), one("b", locality="cloud")))
    when = {"privacy": "public", "localities": ["local", "cloud"], **SMALL}
    assert verdict(world, **never_of({"locality": "cloud"}, **when)) == "refuted"


def test_what_a_wrong_catalog_claims_of_sensitive_requests_is_proven_never_to_happen() -> None:
    cloud = one("b", locality="cloud")
    statement = never_of({"locality": ["on-prem", "cloud"]}, privacy=["sensitive"])
    assert verdict(World((one(), cloud)), **statement) == "proven"
    assert verdict(World((one(), cloud), ("local", "cloud")), **statement) == "refuted"


def test_nothing_that_is_meant_or_nothing_that_is_asked_is_vacuous_and_fails() -> None:
    world = World((one(),))
    for statement in (
        never_of({"locality": "cloud"}),
        never_of({"id": "a"}, tokensIn={"atLeast": 5, "atMost": 4}),
        always_of({"tokensIn": {"atLeast": 5, "atMost": 4}, "maxTokensOut": 1}, survives=0),
    ):
        try:
            assert verdict(world, **statement) == "vacuous"
        except ValidationError:
            continue  # refusing the policy is as good
        assert not proof_of(world, **statement)[1].holds


def test_a_disabled_entry_is_meant_and_never_chosen() -> None:
    world = World((one(), one("off", enabled=False)))
    assert verdict(world, **never_of({"id": "off"})) == "proven"
    assert verdict(world, **never_of({"enabled": False})) == "proven"
    assert verdict(world, **never_of({"enabled": True})) == "refuted"


@pytest.mark.parametrize("wanted", [2.5, {"atLeast": 2.5}, {"atMost": 2.5}, {"atLeast": 2, "atMost": 2.75}])
def test_a_latency_is_named_as_exactly_as_a_catalog_may_state_it(wanted: Any) -> None:
    world = World((one(latencyP95Ms=2.5), one("b", latencyP95Ms=3), one("c")))
    assert verdict(world, **never_of({"latencyP95Ms": wanted, "id": ["a"]})) == "refuted"
    assert verdict(world, **never_of({"latencyP95Ms": wanted, "id": ["c"]})) == "vacuous"


def test_an_always_takes_the_defaults_of_a_request() -> None:
    """256 tokens in and 1024 out."""
    exact = World((one(effectiveContextTokens=1280),))
    assert verdict(exact, **always_of({}, costsAtMost="0.00000000128")) == "proven"
    assert verdict(exact, **always_of({}, costsAtMost="0.000000001279")) == "refuted"
    assert verdict(World((one(effectiveContextTokens=1279),)), **always_of({}, survives=0)) == "refuted"


def test_sizes_that_nobody_takes_refute_an_always_and_prove_a_never() -> None:
    world = World((one(),))
    assert verdict(world, **always_of({"tokensIn": 10, "maxTokensOut": 0}, survives=0)) == "proven"
    assert verdict(world, **always_of({"tokensIn": 11, "maxTokensOut": 0}, survives=0)) == "refuted"
    assert verdict(world, **always_of({"tokensIn": {"atLeast": 0}, "maxTokensOut": 0}, survives=0)) == "refuted"
    assert verdict(world, **never_of({"id": "a"}, tokensIn={"atLeast": 11})) == "proven"
    assert verdict(world, **never_of({"id": "a"}, tokensIn={"atLeast": 10})) == "refuted"
    assert verdict(world, **never_of({"id": "a"}, tokensIn=5, maxTokensOut={"atLeast": 6})) == "proven"


def test_a_bound_holds_under_the_outages_that_are_to_be_survived() -> None:
    world = World((one(), one("b", cost={"usdPerMtokIn": 1, "usdPerMtokOut": 1})))
    cheap = {"costsAtMost": "0.000000000008"}
    assert verdict(world, **always_of(SMALL, **cheap)) == "proven"
    assert verdict(world, **always_of(SMALL, survives=0, **cheap)) == "proven"
    assert verdict(world, **always_of(SMALL, survives=1)) == "proven"
    assert verdict(world, **always_of(SMALL, survives=1, **cheap)) == "refuted"
    assert verdict(world, **always_of(SMALL, survives=1, costsAtMost="0.000008")) == "proven"
    assert verdict(world, **always_of(SMALL | {"down": ["b"]}, survives=1)) == "refuted"
    assert verdict(world, **always_of(SMALL | {"exclude": ["b"]}, survives=1)) == "refuted"
    assert verdict(world, **always_of(SMALL, survives=2)) == "refuted"


def test_an_outage_in_the_nearer_place_makes_a_request_dearer_or_cheaper() -> None:
    """Locality comes before cost: losing the dear local model makes it cheaper, so the bound breaks without it."""
    dear, cheap = one("a", cost={"usdPerMtokIn": 1, "usdPerMtokOut": 1}), one("b", locality="cloud")
    statement = always_of(SMALL, survives=1, costsAtMost="0.000000000008")
    _, proof = proof_of(World((dear, cheap)), **statement)
    (found,) = proof.statements
    assert found.verdict == "refuted"
    assert found.witness.down == ()


@pytest.mark.parametrize(
    "policy",
    [
        {"never": [{"name": "x", "chooses": {"vendor": "a"}}]},
        {"never": [{"name": "x", "chooses": {"provider": "one"}}]},
        {"never": [{"name": "x", "when": {"tier": "public"}, "chooses": {"id": "a"}}]},
        {"never": [{"name": "x", "when": {"privacy": "secret"}, "chooses": {"id": "a"}}]},
        {"never": [{"name": "x", "when": {"tokensIn": {"least": 1}}, "chooses": {"id": "a"}}]},
        {"never": [{"name": "x"}]},
        {"never": [{"chooses": {"id": "a"}}]},
        {"always": [{"name": "x", "when": {"capabilityClass": "fast-draft", "privacy": "public"}}]},
        {"always": [{"name": "x", "when": {"capabilityClass": "fast-draft"}, "survives": 1}]},
        {"always": [{"name": "x", "when": {"privacy": "public"}, "survives": 1}]},
        {"always": [{"name": "x", "when": {"capabilityClass": "fast-draft", "privacy": "public"}, "survives": -1}]},
        {"always": [{"name": "x", "when": {"capabilityClass": "fast-draft", "privacy": "public"}, "costsAtMost": -1}]},
        {"sometimes": []},
        {"kind": "ModelCatalog", "never": []},
    ],
)
def test_a_policy_that_says_what_is_unknown_is_refused(policy: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, AldoError)):
        RoutingPolicy.model_validate(policy)


@pytest.mark.parametrize(
    "statement",
    [
        never_of({"id": "a"}, capabilityClass="fast-drafd"),
        never_of({"id": "a"}, fallbackClasses=["fast-drafd"]),
        never_of({"capabilityClass": "fast-drafd"}),
        always_of({"capabilityClass": "fast-drafd"}, survives=0),
        always_of({"fallbackClasses": ["fast-drafd"]}, survives=0),
    ],
)
def test_a_statement_about_a_class_that_does_not_exist_is_an_error_that_names_the_nearest(
    statement: dict[str, list[When]],
) -> None:
    with pytest.raises(UnknownNameError, match="fast-draft"):
        proof_of(World((one(),)), **statement)
