"""Laws of exact money."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aldo.schema import Cost
from aldo.schema.decimals import WrittenFloat, pico_per_token, pico_usd, plain_text, usd_text

prices = st.decimals(min_value=0, max_value=10**6, places=6)
amounts = st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False)


@given(st.integers(min_value=0, max_value=10**30))
def test_usd_text_and_pico_usd_are_inverse_and_plain(pico: int) -> None:
    text = usd_text(pico)
    assert pico_usd(Decimal(text)) == pico
    assert "E" not in text
    assert text == "0" or not text.startswith("00")
    assert "." not in text or not text.endswith("0")


@given(amounts)
def test_pico_usd_is_the_exact_value_rounded_down(amount: Decimal) -> None:
    assert pico_usd(amount) == Fraction(amount) * 10**12 // 1


@given(prices, st.integers(min_value=0, max_value=10**9))
def test_cost_of_tokens_is_exact(price: Decimal, tokens: int) -> None:
    assert Fraction(tokens * pico_per_token(price), 10**12) == Fraction(price) * tokens / 10**6


@given(prices)
def test_a_price_is_read_from_its_text_and_keeps_every_digit(price: Decimal) -> None:
    text = f"{price:f}"
    cost = Cost(usd_per_mtok_in=WrittenFloat(text), usd_per_mtok_out=text)
    assert cost.usd_per_mtok_in == cost.usd_per_mtok_out == price
    again = Cost.model_validate_json(cost.model_dump_json(exclude_none=True))
    assert again == cost
    assert Decimal(plain_text(price)) == price


@pytest.mark.parametrize(
    "bad", [-1, "-0.1", True, None, "", "a", "1e-7", "0.1234567", "NaN", "inf", float("nan"), 1e10, "1e999999999", []]
)
def test_a_price_that_is_none_is_refused(bad: object) -> None:
    with pytest.raises(ValidationError):
        Cost.model_validate({"usdPerMtokIn": bad, "usdPerMtokOut": 0})


def test_more_digits_than_a_double_can_hold_are_not_rounded_into_six_places() -> None:
    with pytest.raises(ValidationError, match="six decimal places"):
        Cost(usd_per_mtok_in=WrittenFloat("0.1500000000000000000001"), usd_per_mtok_out=0)
    assert Cost(usd_per_mtok_in=WrittenFloat("0.150000000"), usd_per_mtok_out=0).usd_per_mtok_in == Decimal("0.15")
