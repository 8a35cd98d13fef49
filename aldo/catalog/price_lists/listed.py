"""What the price lists have in common: what one says of a model, and how its JSON and its numbers are read.

A number is never a binary float and never rounded. A price that is not known is left out and said: 0 would
make of it the cheapest model there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from typing import Any, NamedTuple

from aldo._lazy import lazy_pattern
from aldo.errors import UsageError, printable
from aldo.schema.decimals import LARGEST, MOST_DIGITS, PRICE_PLACES, plain_text

_EXACT = Context(prec=2 * MOST_DIGITS)  # all digits of a number have room, whatever precision the caller works with
_NUMBER = lazy_pattern(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,6})?")
_URL = lazy_pattern(r"https?://\S+")
_WORDS = {"usdPerMtokIn": "input price", "usdPerMtokOut": "output price"}
"""The prices that a cost needs, in words."""
_CONTEXT_TAGS = {"32k-context": 32_000, "128k-context": 128_000, "200k-context": 200_000, "1m-context": 1_000_000}


class Listed(NamedTuple):
    """What a price list says of one model."""

    name: str
    """Its name in the list: LiteLLM's key; for models.dev `provider/model`."""
    provider: str
    model: str
    """The name that is sent on the wire."""
    cost: Mapping[str, Decimal]
    """The prices of a catalog's `cost`: USD per million tokens, exact. Empty where there is a problem."""
    problem: str = ""
    """Why no price can be taken."""
    notes: tuple[str, ...] = ()
    """What the list says that a cost cannot."""
    source: str | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    provides: tuple[str, ...] = ()
    deprecation_date: str | None = None


class Unpriced(ValueError):
    """No price can be read; says why, as in "the input price ..."."""


def read_object(text: str, path: str, file: str) -> dict[str, Any]:
    """The JSON object in a text, its numbers as decimals. `file` is what should have been given."""
    try:
        data = json.loads(
            text,
            parse_float=_written,
            parse_int=_written,
            parse_constant=_no_constant,
            object_pairs_hook=_without_duplicates,
        )
    except RecursionError:
        raise UsageError(f"{path}: is nested too deeply for a price list; give {file}") from None
    except ValueError as error:
        raise UsageError(f"{path}: cannot be read as JSON: {error}; give {file}") from None
    if not isinstance(data, dict):
        raise UsageError(f"{path}: is no price list, which is one JSON object; give {file}")
    return data


def _written(text: str) -> Decimal | str:
    """A number as it stands there. One that is no honest price stays a text, so that only its model suffers."""
    return Decimal(text) if len(text) <= MOST_DIGITS and _NUMBER.fullmatch(text) else text


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in pairs:
        if key in data:
            raise ValueError(f"the key {printable(key[:100])} stands twice in one object")
        data[key] = value
    return data


def _number(value: Any) -> Decimal | None:
    if isinstance(value, str):
        value = _written(value)
    return value if isinstance(value, Decimal) and value.is_finite() else None


def amount(value: Any, shift: int = 0) -> Decimal:
    """The exact number, times ten to the power of `shift`. Raises `Unpriced`."""
    number = _number(value)
    if number is None:
        said = f": {value[:MOST_DIGITS]!r}" if isinstance(value, str) else ""
        raise Unpriced(f"is no number{said}")
    if not number:
        return Decimal(0)  # whatever its sign and its exponent
    size = number.adjusted() + shift
    if number < 0:
        raise Unpriced(f"is negative: {number}")
    if size <= -MOST_DIGITS:
        raise Unpriced(f"is too small: {number}")
    if size > LARGEST.adjusted():  # before it is written out with as many digits
        raise Unpriced(f"is more than {LARGEST}: {number}")
    number = Decimal(plain_text(_EXACT.scaleb(number, shift)))
    if number > LARGEST:
        raise Unpriced(f"is more than {LARGEST}: {number}")
    return number


def _price(value: Any, shift: int) -> Decimal:
    number = amount(value, shift)
    if len(plain_text(number).partition(".")[2]) > PRICE_PLACES:
        raise Unpriced(f"has more than six decimal places: {plain_text(number)}")
    return number


def amount_text(value: Any, shift: int = 0) -> str:
    """The same as a text for a note; "" where there is no number."""
    try:
        return plain_text(amount(value, shift))
    except Unpriced:
        return ""


def cost_of(prices: Mapping[str, Any], shift: int) -> tuple[dict[str, Decimal], str, tuple[str, ...]]:
    """From the fields of a catalog's `cost`, as a list writes their values: the cost, the problem, the notes."""
    cost: dict[str, Decimal] = {}
    problems, notes = [], []
    for field, value in prices.items():
        try:
            if value is not None:
                cost[field] = _price(value, shift)
            elif field in _WORDS:
                problems.append(f"no {_WORDS[field]}")
        except Unpriced as reason:
            if field in _WORDS:
                problems.append(f"the {_WORDS[field]} {reason}")
            else:
                notes.append(f"{field} left out: it {reason}")
    if not problems and not any(cost[field] for field in _WORDS):
        notes.append("listed as free")
    return ({} if problems else cost), " and ".join(problems), tuple(notes)


def above_note(above: Any, price_in: Any, price_out: Any, cost: Mapping[str, Decimal], shift: int) -> str:
    """What a list asks for longer prompts than `above` tokens; "" where that is nothing else."""
    tokens = whole(above)
    if tokens is None:
        return ""
    pairs = []
    for way, field, value in (("in", "usdPerMtokIn", price_in), ("out", "usdPerMtokOut", price_out)):
        if text := amount_text(value, shift):
            pairs.append((f"{text} {way}", Decimal(text), cost.get(field)))
    if all(price == base for _, price, base in pairs):
        return ""
    asked = ", ".join(said for said, _, _ in pairs)
    if not cost:
        return f"other prices above {tokens} tokens: {asked}"
    dearer = any(base is not None and price > base for _, price, base in pairs)
    return f"{'dearer' if dearer else 'cheaper'} above {tokens} tokens: {asked}"


def unit_note(way: str, unit: str, value: Any, shift: int = 0) -> str:
    """A price of something else than a token of text; "" where it is none."""
    text = amount_text(value, shift)
    return f"{way} per {unit}: {text} USD" if text not in ("", "0") else ""


def whole(value: Any) -> int | None:
    """A whole positive number of tokens."""
    try:
        number = amount(value)
    except Unpriced:
        return None
    return int(number) if number and number == number.to_integral_value() else None


def tags(claimed: Iterable[str], context: int | None) -> tuple[str, ...]:
    """Capability tags, with those of the context; the thresholds are those that lint counts by."""
    fitting = (tag for tag, tokens in _CONTEXT_TAGS.items() if context is not None and context >= tokens)
    return tuple(sorted({*claimed, *fitting}))


def url(value: Any) -> str | None:
    return value if isinstance(value, str) and value.isprintable() and _URL.fullmatch(value) else None
