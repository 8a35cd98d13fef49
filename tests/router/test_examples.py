"""Routing by example: money to the last 10^-12 USD, names with a suggestion, ranking, empty results."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from aldo.errors import NoEligibleModelError, UnknownNameError
from aldo.router import route, why_not
from aldo.schema import RouteRequest
from tests.support.strategies import PICO, build_catalog


def entry(model: str, usd_in: str = "0", usd_out: str = "0", **more: Any) -> dict[str, Any]:
    """A public fast-draft entry in the cloud, with what the test cares for on top."""
    base: dict[str, Any] = {
        "id": model,
        "provider": "one",
        "providerKind": "openai-compat",
        "locality": "cloud",
        "capabilityClass": "fast-draft",
        "provides": ["tool-use", "streaming"],
        "privacyAllowed": ["public", "internal", "sensitive"],
        "effectiveContextTokens": 4_000_000,
        "cost": {"usdPerMtokIn": usd_in, "usdPerMtokOut": usd_out},
    }
    return base | more


def ask(**changes: Any) -> RouteRequest:
    return RouteRequest(**({"capability_class": "fast-draft", "privacy": "public"} | changes))


@pytest.mark.parametrize(
    ("usd_in", "usd_out", "tokens_in", "tokens_out", "usd"),
    [
        ("0", "0", 256, 1024, "0"),
        ("3", "15", 0, 0, "0"),
        ("0.000001", "0", 1, 0, "0.000000000001"),
        ("0.000001", "0.000001", 3, 7, "0.00000000001"),
        ("0.000001", "0.000003", 333, 1021, "0.000000003396"),
        ("0.1", "0.2", 1, 1, "0.0000003"),
        ("3", "15", 256, 1024, "0.016128"),
        ("3.00", "15.0", 1_000_000, 1_000_000, "18"),
        ("75.000001", "150.999999", 999_999, 1_000_001, "226.000075999998"),
        ("100", "0", 1_000_000, 0, "100"),
    ],
)
def test_estimates_are_exact_and_plainly_written(
    usd_in: str, usd_out: str, tokens_in: int, tokens_out: int, usd: str
) -> None:
    """(tokensIn * in + maxTokensOut * out) / 10^6, no binary fractions, no exponent, no trailing zeros."""
    catalog = build_catalog([entry("only", usd_in, usd_out)])
    assert route(catalog, ask(tokens_in=tokens_in, max_tokens_out=tokens_out)).estimated_usd == usd


@pytest.mark.parametrize(("usd_in", "usd_out"), [("0.1", "0.2"), ("0.000001", "0"), ("99999.999999", "7")])
def test_a_budget_equal_to_the_cost_suffices_and_10e_12_less_does_not(usd_in: str, usd_out: str) -> None:
    """The comparison is <=, exact to 10^-12 USD."""
    catalog = build_catalog([entry("only", usd_in, usd_out)])
    cost = Decimal(route(catalog, ask(tokens_in=999_999, max_tokens_out=3)).estimated_usd)
    for budget in (cost, cost + PICO):
        assert route(catalog, ask(tokens_in=999_999, max_tokens_out=3, budget_usd=budget)).model == "only"
    with pytest.raises(NoEligibleModelError) as refusal:
        route(catalog, ask(tokens_in=999_999, max_tokens_out=3, budget_usd=cost - PICO))
    assert [stage.code for stage in refusal.value.stages] == ["BUDGET_EXCEEDED"]


def test_a_budget_of_nothing_still_buys_what_costs_nothing() -> None:
    """0 is a budget, not the absence of one."""
    catalog = build_catalog([entry("free", locality="cloud"), entry("paid", "1", "1", locality="local")])
    assert route(catalog, ask(budget_usd=Decimal(0))).model == "free"
    assert route(catalog, ask()).model == "paid"


def test_locality_ranks_before_cost_cost_before_latency_latency_before_id() -> None:
    """Local, on-prem, cloud; then cheaper; then faster with unknown last; then code points."""
    catalog = build_catalog(
        [
            entry("a-cloud-free"),
            entry("a-cloud-slow", "1", latencyP95Ms=900),
            entry("z-cloud-fast", "1", latencyP95Ms=100),
            entry("A-cloud-unknown", "1"),
            entry("a-cloud-unknown", "1"),
            entry("on-prem", "9", "9", locality="on-prem"),
            entry("local", "99", "99", locality="local"),
        ]
    )
    decision = route(catalog, ask())
    assert (decision.model, *decision.alternates) == (
        "local",
        "on-prem",
        "a-cloud-free",
        "z-cloud-fast",
        "a-cloud-slow",
        "A-cloud-unknown",
        "a-cloud-unknown",
    )
    told = [decision.why_not(model) for model in decision.alternates]
    assert [(why.outranked_by, why.decided_by) for why in told] == [("local", "locality")] * 6


def test_ids_tie_by_code_points() -> None:
    """'-' < '.' < digits < ':' < upper case < lower case, and a prefix comes first."""
    ordered = ["0", "9z", "A", "Aa", "B", "Z", "a", "a-1", "a-10", "a-2", "a.1", "a1", "a:1", "aA", "b"]
    decision = route(build_catalog([entry(model) for model in reversed(ordered)]), ask())
    assert [decision.model, *decision.alternates] == ordered


def test_an_order_of_costs_that_turns_with_the_tokens() -> None:
    """Which entry is cheaper depends on the request, and at the crossing they tie by id."""
    catalog = build_catalog([entry("b-cheap-in", "1", "3"), entry("a-cheap-out", "2", "1")])
    assert route(catalog, ask(tokens_in=3, max_tokens_out=1)).model == "b-cheap-in"
    assert route(catalog, ask(tokens_in=1, max_tokens_out=1)).model == "a-cheap-out"
    assert route(catalog, ask(tokens_in=2, max_tokens_out=1)).model == "a-cheap-out"


@pytest.mark.parametrize(
    ("changes", "meant"),
    [
        ({"capability_class": "fast-drat"}, "fast-draft"),
        ({"fallback_classes": ("reasoning-smal",)}, "reasoning-small"),
        ({"fallback_classes": ("house-clas",)}, "house-class"),
        ({"requires": ("tool-us",)}, "tool-use"),
        ({"requires": ("house-tga",)}, "house-tag"),
        ({"pin": "gpt-clod"}, "gpt-cloud"),
    ],
)
def test_an_unknown_name_is_an_error_with_did_you_mean(changes: dict[str, Any], meant: str) -> None:
    """Never an empty result, though another class would route; the vocabulary of the catalog counts."""
    catalog = build_catalog([entry("gpt-cloud")])
    with pytest.raises(UnknownNameError) as unknown:
        route(catalog, ask(**changes))
    assert meant in unknown.value.suggestions


def test_why_not_of_an_unknown_model_suggests_the_nearest() -> None:
    """An id that is not in the catalog is an error, not a verdict."""
    with pytest.raises(UnknownNameError) as unknown:
        why_not(build_catalog([entry("gpt-cloud"), entry("other")]), ask(), "gpt-cluod")
    assert unknown.value.suggestions[0] == "gpt-cloud"


def test_a_name_like_no_other_is_unknown_without_a_suggestion() -> None:
    """Suggestions are near names, not all names."""
    with pytest.raises(UnknownNameError) as unknown:
        route(build_catalog([entry("gpt-cloud")]), ask(requires=("qqqqqqqqqqqqqqqq",)))
    assert unknown.value.suggestions == ()


def test_models_that_left_the_catalog_may_stay_in_down_and_exclude() -> None:
    """A health snapshot may outlive a model."""
    catalog = build_catalog([entry("gpt-cloud")])
    assert route(catalog, ask(down=("gone",), exclude=("gone-too",))).model == "gpt-cloud"


def test_classes_without_an_entry_are_refused_at_the_class_stage() -> None:
    """One stage per requested class, in request order, whatever other classes hold."""
    catalog = build_catalog([entry("other", capabilityClass="house-class")])
    with pytest.raises(NoEligibleModelError) as refusal:
        route(catalog, ask(fallback_classes=("embeddings",)))
    told = [(stage.capability_class, stage.code) for stage in refusal.value.stages]
    assert told == [("fast-draft", "CLASS"), ("embeddings", "CLASS")]


def test_a_pin_does_not_open_a_tier() -> None:
    """A pinned cloud model is refused a sensitive request, at the privacy stage, whatever it claims."""
    catalog = build_catalog([entry("gpt-cloud"), entry("here", locality="local")])
    with pytest.raises(NoEligibleModelError):
        route(catalog, ask(privacy="sensitive", pin="gpt-cloud"))
    assert why_not(catalog, ask(privacy="sensitive", pin="gpt-cloud"), "gpt-cloud").code == "PRIVACY_LOCALITY"
    assert why_not(catalog, ask(privacy="sensitive", pin="gpt-cloud"), "here").code == "NOT_PINNED"


def test_output_and_served_limits_count_at_the_boundary() -> None:
    """Equal fits; one token more does not; the served context wins over the effective one."""
    limits: dict[str, Any] = {
        "effectiveContextTokens": 9000,
        "servedContextTokens": 100,
        "maxOutputTokens": 40,
    }
    catalog = build_catalog([entry("only", **limits)])
    assert route(catalog, ask(tokens_in=60, max_tokens_out=40)).model == "only"
    for tokens_in, tokens_out in ((61, 40), (0, 41)):
        with pytest.raises(NoEligibleModelError):
            route(catalog, ask(tokens_in=tokens_in, max_tokens_out=tokens_out))
