"""The price list of LiteLLM: `model_prices_and_context_window.json`, one object of models, in USD per token."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from aldo._lazy import lazy_pattern
from aldo.catalog.price_lists.listed import (
    Listed,
    above_note,
    amount_text,
    cost_of,
    read_object,
    tags,
    unit_note,
    url,
    whole,
)
from aldo.errors import UsageError

_FILE = "model_prices_and_context_window.json of LiteLLM"
_NO_MODELS = ("sample_spec", "fallback_generalizations")
"""Keys under which the list explains itself."""
_MILLION = 6
"""Places by which USD per token become USD per million tokens."""
_PRICES = {
    "usdPerMtokIn": "input_cost_per_token",
    "usdPerMtokOut": "output_cost_per_token",
    "usdPerMtokCacheRead": "cache_read_input_token_cost",
    "usdPerMtokCacheWrite": "cache_creation_input_token_cost",
}
_SAYS = {
    "supports_function_calling": ("tool-use", "function-calling"),
    "supports_parallel_function_calling": ("parallel-tool-calls",),
    "supports_response_schema": ("structured-output", "json-mode"),
    "supports_vision": ("vision",),
    "supports_reasoning": ("reasoning",),
    "supports_audio_input": ("audio-in",),
    "supports_audio_output": ("audio-out",),
}
_ABOVE = lazy_pattern(r"(?:in|out)put_cost_per_token_above_([0-9]{1,9})(k?)_tokens")
_PER_UNIT = lazy_pattern(r"(?:(input|output|citation|ocr|annotation)_)?cost_per_(?!token(?:_|$))([A-Za-z0-9_.]{1,60})")
_OPTIONAL = lazy_pattern(r".*_(?:batches|priority|flex|balanced|ultrafast|decisions|above_.+)")
"""What is paid only by requests that ask for it, or that a note on long prompts covers."""
_UNITS = ("image", "pixel", "second", "character", "query", "request", "message", "page", "credit")
_DATE = lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read(text: str, path: str) -> dict[str, Listed]:
    """Every model of the list by its key. Raises `UsageError` where the text is no such list."""
    data = read_object(text, path, _FILE)
    models = {name: fields for name, fields in data.items() if name not in _NO_MODELS}
    if not any(isinstance(fields, dict) and "litellm_provider" in fields for fields in models.values()):
        if any(isinstance(fields, dict) and isinstance(fields.get("models"), dict) for fields in models.values()):
            raise UsageError(f"{path}: is the price list of models.dev, not of LiteLLM; say models.dev instead")
        raise UsageError(f"{path}: no model with a litellm_provider is in it; give {_FILE}")
    return {name: _listed(name, fields) for name, fields in models.items()}


def _listed(name: str, fields: Any) -> Listed:
    if not isinstance(fields, dict):
        return Listed(name, "", name, {}, problem="is no JSON object")
    provider = fields.get("litellm_provider")
    if not isinstance(provider, str) or not provider:
        return Listed(name, "", name, {}, problem="no provider")
    tiers = _tiers(fields)
    prices = {**next((tier for above, tier in tiers if not above), {}), **fields}
    cost, problem, left_out = cost_of({field: prices.get(key) for field, key in _PRICES.items()}, _MILLION)
    units = _units(prices)
    tokens = [prices.get(_PRICES[field]) for field in ("usdPerMtokIn", "usdPerMtokOut")]
    if units and all(value is None or amount_text(value) == "0" for value in tokens):
        # A 0 for tokens beside a price for something else does not say that the model is free.
        cost, problem, left_out = {}, f"priced per {' and '.join(units)}, not by token", ()
    context = whole(fields.get("max_input_tokens")) or whole(fields.get("max_tokens"))
    return Listed(
        name=name,
        provider=provider,
        model=_on_the_wire(name, provider),
        cost=cost,
        problem=problem,
        notes=(*filter(None, _notes(prices, tiers, cost)), *left_out),
        source=url(fields.get("source")),
        context_tokens=context,
        max_output_tokens=whole(fields.get("max_output_tokens")),
        provides=tags(_claimed(fields), context),
        deprecation_date=_date(fields.get("deprecation_date")),
    )


def _on_the_wire(name: str, provider: str) -> str:
    """Without the prefix that only LiteLLM reads: azure/x of azure_text, vertex_ai/x of vertex_ai-mistral_models."""
    prefix, _, rest = name.partition("/")
    own = prefix.replace("-", "_")
    kinds = {own, f"{own}_chat", f"{own}_converse", f"{own}_text"}
    is_own = provider.replace("-", "_") in kinds or provider.startswith(f"{prefix}-")
    return rest if rest and is_own else name


def _tiers(fields: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """`tiered_pricing`: from how many tokens of prompt on, and the prices."""
    said = fields.get("tiered_pricing")
    tiers = []
    for tier in said if isinstance(said, list) else ():
        bounds = tier.get("range") if isinstance(tier, dict) else None
        if isinstance(bounds, list) and bounds and amount_text(bounds[0]):
            tiers.append((whole(bounds[0]) or 0, tier))
    return tiers


def _per_unit(prices: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Prices of something else than a token of text: input or output, the unit in words, the value."""
    for key, value in prices.items():
        found = _PER_UNIT.fullmatch(key)
        if found is not None and not _OPTIONAL.fullmatch(key) and amount_text(value) not in ("", "0"):
            yield found[1] or "use", found[2].replace("_", " "), value


def _units(prices: dict[str, Any]) -> list[str]:
    words = (word for _, unit, _ in _per_unit(prices) if not unit.endswith("token") for word in unit.split())
    return list(dict.fromkeys(word for word in words if word in _UNITS))


def _notes(
    prices: dict[str, Any], tiers: list[tuple[int, dict[str, Any]]], cost: Mapping[str, Decimal]
) -> Iterator[str]:
    keys = dict.fromkeys(found.groups() for found in map(_ABOVE.fullmatch, prices) if found is not None)
    for number, thousand in keys:
        end = f"_cost_per_token_above_{number}{thousand}_tokens"
        above = f"{number}000" if thousand else number
        yield above_note(above, prices.get(f"input{end}"), prices.get(f"output{end}"), cost, _MILLION)
    for bound, tier in tiers:
        price_in, price_out = tier.get("input_cost_per_token"), tier.get("output_cost_per_token")
        yield above_note(Decimal(bound), price_in, price_out, cost, _MILLION)
    for way, unit, value in _per_unit(prices):
        if not unit.endswith("token"):
            yield unit_note(way, unit, value)
        elif unit != "reasoning token" or amount_text(value) != amount_text(prices.get("output_cost_per_token")):
            yield unit_note(way, f"million {unit}s", value, _MILLION)
    if isinstance(prices.get("off_peak_pricing"), dict):
        yield "other prices off peak"


def _claimed(fields: dict[str, Any]) -> Iterator[str]:
    for key, said in _SAYS.items():
        if fields.get(key) is True:
            yield from said
    mode = fields.get("mode")
    if mode in ("chat", "responses") and fields.get("supports_native_streaming") is not False:
        yield "streaming"
    elif mode in ("embedding", "rerank"):
        yield "embeddings" if mode == "embedding" else "rerank"


def _date(value: Any) -> str | None:
    try:
        return datetime.date.fromisoformat(value).isoformat() if _DATE.fullmatch(value) else None
    except (TypeError, ValueError):
        return None
