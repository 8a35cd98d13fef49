"""What the types refuse, and that they are frozen."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from aldo.errors import InvalidRequestError
from aldo.schema import Catalog, ModelEntry, RouteRequest
from aldo.schema.request import request_from_json

ENTRY: dict[str, Any] = {
    "id": "m",
    "provider": "mlx",
    "providerKind": "mlx",
    "locality": "local",
    "capabilityClass": "fast-draft",
    "provides": ["streaming"],
    "privacyAllowed": ["public"],
    "effectiveContextTokens": 4096,
    "cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0},
}


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""}, {"id": "a b"}, {"id": "-a"}, {"id": 3}, {"provides": []}, {"privacyAllowed": []},
        {"privacyAllowed": ["secret"]}, {"effectiveContextTokens": 0}, {"effectiveContextTokens": 1.5},
        {"effectiveContextTokens": "4096"}, {"effectiveContextTokens": True}, {"locality": "here"},
        {"latencyP95Ms": -1}, {"latencyP95Ms": math.inf}, {"enabled": "yes"}, {"enabled": 1}, {"asOf": "22.11.2026"},
        {"asOf": 20261122}, {"source": "the web"}, {"unknown": 1}, {"capability_class": "fast-draft"},
        {"cost": {"usdPerMtokIn": 0}}, {"cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0, "usdPerMtok": 0}},
        {"deprecation": {}}, {"providerConfig": {"headers": {"a": 1}}}, {"maxOutputTokens": 0},
    ],
    ids=str,
)  # fmt: skip
def test_an_entry_that_breaks_the_contract_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ModelEntry.model_validate(ENTRY | change, by_name=False)
    ModelEntry.model_validate(ENTRY, by_name=False)


@pytest.mark.parametrize("missing", ENTRY)
def test_every_required_field_is_required(missing: str) -> None:
    with pytest.raises(ValidationError):
        ModelEntry.model_validate({key: value for key, value in ENTRY.items() if key != missing})


def test_values_are_frozen() -> None:
    entry = ModelEntry.model_validate(ENTRY)
    with pytest.raises(ValidationError):
        entry.locality = "cloud"  # type: ignore[misc]


def test_duplicate_ids_and_empty_catalogs_are_refused() -> None:
    with pytest.raises(ValidationError, match="stands twice"):
        Catalog.model_validate({"models": [ENTRY, ENTRY]})
    with pytest.raises(ValidationError):
        Catalog.model_validate({"models": []})


def test_the_context_is_the_lesser_of_effective_and_served() -> None:
    assert ModelEntry.model_validate(ENTRY | {"servedContextTokens": 512}).context_tokens == 512
    assert ModelEntry.model_validate(ENTRY | {"servedContextTokens": 9999}).context_tokens == 4096


def test_the_digest_ignores_order_and_spelling_but_no_value() -> None:
    two = [
        ENTRY,
        ENTRY | {"id": "n", "provides": ["vision", "streaming"], "cost": {"usdPerMtokIn": "0.10", "usdPerMtokOut": 1}},
    ]
    same = [
        two[1] | {"provides": ["streaming", "vision"], "cost": {"usdPerMtokIn": "0.1", "usdPerMtokOut": "1.0"}},
        two[0],
    ]
    first, second = (Catalog.model_validate({"models": models}) for models in (two, same))
    assert first.digest == second.digest
    for change in ({"provider": "x"}, {"enabled": False}, {"providerConfig": {"extra": {"a": None}}}):
        assert Catalog.model_validate({"models": [ENTRY | change, two[1]]}).digest != first.digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"), ("[]", "JSON object"), ('{"a": NaN}', "NaN"), ('{"privacy": "public"}', "capabilityClass is missing"),
        ('{"capabilityClass": "c"}', "privacy is missing"), ('{"capabilityClass": "c", "privacy": "p"}', "privacy"),
        ('{"capabilityClass": "c", "privacy": "public", "tokenIn": 1}', "did you mean 'tokensIn'"),
        ('{"capabilityClass": "c", "privacy": "public", "tokensIn": -1}', "tokensIn"),
        ('{"capabilityClass": "c", "privacy": "public", "tokensIn": 1.5}', "tokensIn"),
        ('{"capabilityClass": "c", "privacy": "public", "budgetUsd": -0.1}', "budgetUsd"),
        ('{"capabilityClass": "c", "privacy": "public", "localities": []}', "localities"),
        ('{"privacy": "public", "privacy": "public"}', "stands twice"), ("[" * 100_000, "no JSON"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_read_says_which_field_is_wrong(text: str, said: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        request_from_json(text)
    assert said in str(caught.value)


def test_a_request_in_json_keeps_every_digit_of_its_budget() -> None:
    request = request_from_json('{"capabilityClass": "c", "privacy": "public", "budgetUsd": 0.1000000000000000000001}')
    assert str(request.budget_usd) == "0.1000000000000000000001"
    assert RouteRequest.model_validate_json(request.model_dump_json()) == request
