"""What routing may know of an entry is the same from its plain values as from its type."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.router.facts import Facts, project, project_value
from aldo.schema.decimals import WrittenFloat
from tests.support.reference_router import Ask, context, cost
from tests.support.strategies import Scenario, scenarios


def as_read(entry: dict[str, Any]) -> dict[str, Any]:
    """Prices as they are read from a file: whole numbers, or texts that remember how they were written."""
    prices = {key: read_price(price) for key, price in entry["cost"].items()}
    return {**entry, "cost": prices}


def read_price(price: Any) -> int | WrittenFloat:
    exact = Decimal(str(price))
    return int(exact) if exact == exact.to_integral_value() else WrittenFloat(str(price))


@settings(max_examples=200)
@given(scenarios())
def test_the_facts_of_plain_values_are_those_of_the_type(scenario: Scenario) -> None:
    typed = scenario.catalog().by_id
    for entry in scenario.entries:
        assert project_value(as_read(entry)) == project(typed[entry["id"]])


@settings(max_examples=200)
@given(scenarios(), st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_facts_are_what_the_file_says(scenario: Scenario, tokens_in: int, tokens_out: int) -> None:
    """Prices to the last 10^-12 USD, the smaller of two contexts, and what an entry leaves out."""
    ask = Ask("any", "public", tokens_in=tokens_in, max_tokens_out=tokens_out)
    for entry in scenario.entries:
        facts = project_value(as_read(entry))
        assert facts == Facts(
            id=entry["id"],
            capability_class=entry["capabilityClass"],
            provides=frozenset(entry["provides"]),
            privacy_allowed=frozenset(entry["privacyAllowed"]),
            locality=entry["locality"],
            context_tokens=context(entry),
            max_output_tokens=entry.get("maxOutputTokens"),
            pico_in=facts.pico_in,
            pico_out=facts.pico_out,
            latency_p95_ms=entry.get("latencyP95Ms"),
            enabled=entry.get("enabled", True),
        )
        assert Fraction(facts.cost(tokens_in, tokens_out), 10**12) == cost(entry, ask)
        assert facts.latency_p95_ms is None or type(facts.latency_p95_ms) is float
