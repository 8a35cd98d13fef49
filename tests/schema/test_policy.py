"""Policies and examples of routing as values: what their files may say, as the types and the published schemas have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aldo.catalog import load_policy, load_route_tests
from aldo.errors import CatalogError
from aldo.schema import RoutingPolicy
from aldo.schema.published import json_schema

POLICY = {"apiVersion": "aldo/policy.v1", "kind": "RoutingPolicy"}
ROUTES = {"apiVersion": "aldo/routes.v1", "kind": "RouteTests"}
ASKED = {"capabilityClass": "fast-draft", "privacy": "public"}


def takes(kind: str, value: dict[str, Any], directory: Path) -> bool:
    """Whether the reader of such a file takes it."""
    path = directory / "file.yaml"
    path.write_text(json.dumps(value), "utf-8")
    try:
        load_policy(path) if kind == "policy" else load_route_tests(path)
    except CatalogError:
        return False
    return True


def valid(kind: str, value: dict[str, Any]) -> bool:
    return Draft202012Validator(json_schema(kind)).is_valid(value)


def never(**more: Any) -> dict[str, Any]:
    return {**POLICY, "never": [{"name": "a", "chooses": {"id": "far"}, **more}]}


def always(**more: Any) -> dict[str, Any]:
    return {**POLICY, "always": [{"name": "a", "when": ASKED, "survives": 1, **more}]}


def expects(**expect: Any) -> dict[str, Any]:
    return {**ROUTES, "tests": [{"name": "a", "request": ASKED, "expect": expect}]}


GOOD_POLICIES: list[dict[str, Any]] = [
    never(),
    never(when={}),
    never(
        when={
            "privacy": "public",
            "capabilityClass": ["a", "b"],
            "fallbackClasses": [],
            "requires": "x",
            "localities": "cloud",
        }
    ),
    never(
        when={
            "tokensIn": 0,
            "maxTokensOut": {"atLeast": 1},
            "budgetUsd": "0.5",
            "pin": ["a"],
            "exclude": "a",
            "down": ["b"],
        }
    ),
    never(when={"tokensIn": {"atLeast": 5, "atMost": 4}}),
    never(
        chooses={
            "locality": ["cloud"],
            "provides": "x",
            "privacyAllowed": "public",
            "enabled": False,
            "capabilityClass": "y",
        }
    ),
    never(chooses={"effectiveContextTokens": 5, "maxOutputTokens": {"atMost": 4}, "latencyP95Ms": {"atLeast": 1}}),
    never(chooses={"cost": {"usdPerMtokIn": 0.5, "usdPerMtokOut": {"atMost": 1}}}),
    always(),
    always(costsAtMost=0.01),
    always(survives=0, costsAtMost="0.000000000001"),
]
BAD_POLICIES: list[dict[str, Any]] = [
    POLICY | {"never": None, "always": [always()["always"][0]]},
    never(extra=1),
    never(name=""),
    never(name=5),
    never(name=None),
    never(when=None),
    never(when={"privcy": "public"}),
    never(when={"privacy": "secret"}),
    never(when={"privacy": []}),
    never(when={"capabilityClass": "a b"}),
    never(when={"requires": [1]}),
    never(when={"tokensIn": -1}),
    never(when={"tokensIn": 1.5}),
    never(when={"tokensIn": True}),
    never(when={"tokensIn": "5"}),
    never(when={"tokensIn": 10**13}),
    never(when={"tokensIn": {"atLeast": 1, "more": 2}}),
    never(when={"tokensIn": [1]}),
    never(when={"budgetUsd": -1}),
    never(when={"budgetUsd": True}),
    never(when={"budgetUsd": "cheap"}),
    never(chooses={"localty": "cloud"}),
    never(chooses={"locality": "moon"}),
    never(chooses={"id": []}),
    never(chooses={"id": 5}),
    never(chooses={"enabled": "yes"}),
    never(chooses={"enabled": 1}),
    never(chooses={"provider": "one"}),
    never(chooses={"cost": {"usdPerMtokIn": "1"}}),
    never(chooses={"cost": {"usdPerMtokIn": -1}}),
    never(chooses={"cost": 5}),
    never(chooses={"effectiveContextTokens": -1}),
    never(chooses={"effectiveContextTokens": 1.5}),
    never(chooses=None),
    always(survives=True),
    always(survives=-1),
    always(survives=0.5),
    always(survives="1"),
    always(survives=10**6),
    always(costsAtMost=-0.01),
    always(costsAtMost=[1]),
    {**POLICY, "kind": "RoutingPolicies", "never": never()["never"]},
    {**POLICY, "apiVersion": "aldo/policy.v2", "never": never()["never"]},
    {"never": never()["never"]},
]  # fmt: skip
SILENT_POLICIES: list[dict[str, Any]] = [
    POLICY,
    {**POLICY, "never": []},
    never(chooses={}),
    never(chooses={"id": None}),
    never(chooses={"cost": {}}),
    never(chooses={"effectiveContextTokens": {}}),
    never(when={"tokensIn": {}}),
    {**POLICY, "always": [{"name": "a", "when": ASKED}]},
    {**POLICY, "always": [{"name": "a", "when": {"privacy": "public"}, "survives": 1}]},
    {**POLICY, "never": [*never()["never"], *never()["never"]]},
]
"""What a JSON Schema may let pass, but no reader: statements that state nothing, or under one name."""

GOOD_ROUTES: list[dict[str, Any]] = [
    expects(model="near"),
    expects(model=["near", "far"], classUsed="x", locality="local", estimatedUsd="0.1", alternates=[]),
    expects(refusal=True),
    expects(refusal=False, model="near"),
    expects(refusal="DOWN"),
]
BAD_ROUTES: list[dict[str, Any]] = [
    expects(modle="near"),
    expects(model=[]),
    expects(model=5),
    expects(alternates="far"),
    expects(locality="moon"),
    expects(estimatedUsd="cheap"),
    expects(estimatedUsd=True),
    expects(refusal="yes"),
    expects(refusal=1),
    expects(refusal="SOMETHING"),
    {**ROUTES, "tests": []},
    {**ROUTES, "tests": [{"name": "a", "request": {"privacy": "public"}, "expect": {"model": "a"}}]},
    {**ROUTES, "tests": [{"name": "a", "request": {**ASKED, "tokensIn": True}, "expect": {"model": "a"}}]},
    {**ROUTES, "tests": [{"request": ASKED, "expect": {"model": "a"}}]},
]
SILENT_ROUTES = [expects(), expects(model=None), expects(refusal=None), expects(refusal=True, model="a")]


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [
        *(("policy", value, True) for value in GOOD_POLICIES),
        *(("policy", value, False) for value in BAD_POLICIES),
        *(("routes", value, True) for value in GOOD_ROUTES),
        *(("routes", value, False) for value in BAD_ROUTES),
    ],
    ids=lambda value: json.dumps(value)[-70:] if isinstance(value, dict) else None,
)
def test_the_reader_and_the_published_schema_agree_on_what_a_file_may_say(
    kind: str, value: dict[str, Any], good: bool, tmp_path: Path
) -> None:
    assert (takes(kind, value, tmp_path), valid(kind, value)) == (good, good)


@pytest.mark.parametrize(
    ("kind", "value"),
    [*(("policy", value) for value in SILENT_POLICIES), *(("routes", value) for value in SILENT_ROUTES)],
    ids=lambda value: json.dumps(value)[-70:] if isinstance(value, dict) else None,
)
def test_what_states_nothing_is_no_statement(kind: str, value: dict[str, Any], tmp_path: Path) -> None:
    assert not takes(kind, value, tmp_path)


@pytest.mark.parametrize("value", GOOD_POLICIES, ids=lambda value: json.dumps(value)[-70:])
def test_a_policy_as_json_is_the_same_policy(value: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(json.dumps(value), "utf-8")
    policy = load_policy(path)
    again = policy.model_dump(mode="json", exclude_unset=True) | POLICY
    assert valid("policy", again)
    assert RoutingPolicy.model_validate(again, by_alias=True, by_name=False) == policy


def test_one_value_is_as_good_as_a_list_of_one_and_a_number_as_the_range_that_holds_it_alone() -> None:
    one = {"privacy": "public", "requires": "x", "pin": "a", "tokensIn": 5}
    many = {"privacy": ["public"], "requires": ["x"], "pin": ["a"], "tokensIn": {"atLeast": 5, "atMost": 5}}
    policies = [RoutingPolicy.model_validate(never(when=when), by_alias=True, by_name=False) for when in (one, many)]
    assert policies[0] == policies[1]
    assert hash(policies[0]) == hash(policies[1])


def test_an_amount_keeps_every_digit_it_was_written_with(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "apiVersion: aldo/policy.v1\nkind: RoutingPolicy\nalways:\n"
        "  - { name: a, when: { capabilityClass: x, privacy: public }, costsAtMost: 0.100000000000000000001 }\n"
    )
    assert str(load_policy(path).always[0].costs_at_most) == "0.100000000000000000001"
