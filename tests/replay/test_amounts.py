"""Sizes and budgets, whatever type the column has: to the last 10⁻¹² USD as the library reads the same value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo import Catalog
from tests.replay.logs import log_table, one_by_one, outcomes
from tests.replay.odd import FINE
from tests.replay.replaying import replayed

ENTRY: dict[str, Any] = {
    "id": "priced",
    "provider": "one",
    "providerKind": "openai-compat",
    "locality": "cloud",
    "capabilityClass": "fast-draft",
    "provides": ["streaming"],
    "privacyAllowed": ["public"],
    "effectiveContextTokens": 10**12,
    "cost": {"usdPerMtokIn": "0.000001", "usdPerMtokOut": 0},
}
CATALOG = Catalog.model_validate({"models": [ENTRY]})


def check(rows: list[dict[str, Any]], **types: pa.DataType) -> None:
    """The catalog's one model costs 10⁻¹² USD a token, so that every budget can be met or missed by one."""
    rows = [{**FINE, "maxTokensOut": 0, **row} for row in rows]
    table = log_table(rows, **types)
    rows = table.drop_columns("number").to_pylist()  # as the column holds them: a float of 32 bits, say
    assert outcomes(replayed(table, CATALOG)) == [one_by_one(CATALOG, row) for row in rows]


def around(budget: Any, pico: int) -> list[dict[str, Any]]:
    """The budget, and requests that cost as much, one more and one less."""
    return [{"budgetUsd": budget, "tokensIn": min(max(0, pico + step), 10**12)} for step in (-1, 0, 1)]


TEXTS = [
    *("0", "-0", "+0.0", "0e999999", "-0e-999999", "1", "0001", "1.", ".5", ".", "", " 1", "1 ", "1\n", "1_000"),
    *("1e-12", "1E-12", "0.9e-12", "0.999999999999999999e-12", "1.5e-12", "15e-13", "1e-13", "1e-60", "1e-61"),
    *("9.99e-61", "0.0000000000000000000000000000000000000000000000000000000001", "0." + "0" * 57 + "1", "1e5", "1e+5"),
    *("1000000000", "1000000000.0", "1000000000.000000000000000001", "999999999.999999999999999999", "1e9", "1.0e9"),
    *("10e8", "0.1e10", "1000000001", "1e10", "1e999999", "1e1000000", "-1", "-1e-60", "-1e-61", "nan", "inf", "1e"),
    *("e5", "1e5.0", "--1", "1,5", "0x10", "١", "1" * 60, "0" * 59 + "1", "0" * 60 + "1", "0.1234567890129", "٣.١"),
    *(
        "1\x00",
        "\u20281",
        "1\u2028",
        "1\r\n",
        "1e5\n",
        "+.5e1",
        "+",
        "-.e1",
        "0.000000000001",
        "0.0000000000019999999999999",
    ),
]


def test_a_budget_as_text_is_read_as_json_reads_it() -> None:
    rows = [{"budgetUsd": text, "tokensIn": size} for text in TEXTS for size in (0, 1, 2, 10**6, 123456789012, 10**12)]
    check(rows, budgetUsd=pa.string())


@given(
    digits=st.integers(0, 10**25), shift=st.integers(-40, 12), written=st.sampled_from(("{:f}", "{:e}", "{}", "{:E}"))
)
@settings(max_examples=30)
def test_so_is_any_decimal_however_it_is_written(digits: int, shift: int, written: str) -> None:
    number = Decimal(digits).scaleb(shift)
    check(around(written.format(number), int(min(number, 1) * 10**12)), budgetUsd=pa.string())


@given(st.lists(st.floats(0, 2) | st.floats(0, 1e-9) | st.floats(), min_size=1, max_size=30))
@settings(max_examples=30)
def test_a_double_is_taken_by_its_shortest_text(budgets: list[float]) -> None:
    rows = [row for budget in budgets for row in around(budget, int(budget * 10**12) if 0 <= budget <= 1 else 7)]
    check(rows, budgetUsd=pa.float64())
    small = [{**row, "budgetUsd": None if abs(row["budgetUsd"]) > 3e38 else row["budgetUsd"]} for row in rows]
    check(small, budgetUsd=pa.float32())


@pytest.mark.parametrize(
    ("digits", "places"), [(12, 12), (4, 3), (24, 12), (38, 12), (38, 13), (38, 20), (38, 38), (38, 0), (18, 0)]
)
def test_decimals_of_any_width(digits: int, places: int) -> None:
    largest = 10**digits - 1
    numbers = (
        0,
        1,
        2,
        10**6,
        -1,
        10 ** max(0, places - 12),
        19 * 10 ** max(0, places - 13),
        largest,
        -largest,
        largest // 7,
    )
    rows = [
        row
        for number in numbers
        if abs(number) <= largest
        for row in around(Decimal(f"{number}E-{places}"), number * 10**12 // 10**places)
    ]
    check(rows, budgetUsd=pa.decimal128(digits, places))


WHOLE = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]


@pytest.mark.parametrize("column", ["budgetUsd", "tokensIn", "maxTokensOut"])
@pytest.mark.parametrize("kind", WHOLE, ids=str)
def test_whole_numbers_of_any_width(column: str, kind: pa.DataType) -> None:
    signed = str(kind).startswith("int")
    largest = 2 ** (kind.bit_width - signed) - 1
    numbers = {0, 1, 100, largest, *(n for n in (10**9, 10**9 + 1, 10**12, 10**12 + 1) if n <= largest)}
    check(
        [{column: number} for number in sorted(numbers | ({-1, -largest - 1} if signed else set()))], **{column: kind}
    )


@pytest.mark.parametrize("column", ["tokensIn", "maxTokensOut"])
def test_sizes_that_are_no_whole_numbers_are_invalid(column: str) -> None:
    numbers = [0.0, -0.0, 5.0, 5.5, -1.0, 1e12, 1e12 + 1, 1e300, float("nan"), float("inf"), float("-inf"), 0.1]
    check([{column: number} for number in numbers], **{column: pa.float64()})
    decimals = [Decimal(text) for text in ("0", "5.000", "5.500", "1000000000000", "1000000000000.001", "-0.001")]
    check([{column: number} for number in decimals], **{column: pa.decimal128(20, 3)})


def test_budgets_and_contexts_at_the_threshold() -> None:
    check([{"tokensIn": 10**12 - out, "maxTokensOut": out} for out in (0, 1)])
    check([{"tokensIn": 10**12, "maxTokensOut": out} for out in (0, 1)])
    check(around(Decimal("0.000000000256"), 256))
