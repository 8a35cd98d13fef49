"""The price list of models.dev: its `api.json`, providers with models in them, in USD per million tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

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

_FILE = "api.json of models.dev"
_PRICES = {
    "usdPerMtokIn": "input",
    "usdPerMtokOut": "output",
    "usdPerMtokCacheRead": "cache_read",
    "usdPerMtokCacheWrite": "cache_write",
}
_SAYS = {
    "tool_call": ("tool-use", "function-calling"),
    "structured_output": ("structured-output", "json-mode"),
    "reasoning": ("reasoning",),
}
_MODALITIES = {
    ("input", "image"): "vision",
    ("input", "audio"): "audio-in",
    ("output", "audio"): "audio-out",
}
_UNITS = (("input", "input_audio", "million audio tokens"), ("output", "output_audio", "million audio tokens"))


def read(text: str, path: str) -> dict[str, Listed]:
    """Every model of the list by `provider/model`. Raises `UsageError` where the text is no such list."""
    data = read_object(text, path, _FILE)
    if not any(isinstance(provider, dict) and isinstance(provider.get("models"), dict) for provider in data.values()):
        if any(isinstance(entry, dict) and "litellm_provider" in entry for entry in data.values()):
            raise UsageError(f"{path}: is the price list of LiteLLM, not of models.dev; say litellm instead")
        raise UsageError(f"{path}: no provider with models is in it; give {_FILE}")
    listed: dict[str, Listed] = {}
    for entry in _entries(data):
        first = listed.setdefault(entry.name, entry)
        if first is not entry:  # a/b of c, and b of c/a: which one is meant cannot be said
            listed[entry.name] = first._replace(cost={}, problem="two models of the list have this name")
    return listed


def _entries(data: dict[str, Any]) -> Iterator[Listed]:
    for provider, said in data.items():
        models = said.get("models") if isinstance(said, dict) else None
        if not isinstance(models, dict):
            yield Listed(provider, provider, "", {}, problem="the provider has no models")
            continue
        source = url(said.get("doc"))
        for model, fields in models.items():
            name = f"{provider}/{model}"
            if isinstance(fields, dict):
                yield _listed(Listed(name, provider, model, {}, source=source), fields)
            else:
                yield Listed(name, provider, model, {}, problem="is no JSON object", source=source)


def _listed(named: Listed, fields: dict[str, Any]) -> Listed:
    prices = _mapping(fields.get("cost"))
    cost, problem, notes = cost_of({field: prices.get(key) for field, key in _PRICES.items()}, 0)
    limit = _mapping(fields.get("limit"))
    context = whole(limit.get("context"))
    return named._replace(
        cost=cost,
        problem=problem,
        notes=(*filter(None, _notes(fields, prices, cost)), *notes),
        context_tokens=context,
        max_output_tokens=whole(limit.get("output")),
        provides=tags(_claimed(named.model, fields), context),
    )


def _notes(fields: dict[str, Any], prices: dict[str, Any], cost: Mapping[str, Decimal]) -> Iterator[str]:
    if fields.get("status") in ("alpha", "beta", "deprecated"):
        yield f"listed as {fields['status']}"
    tiers = prices.get("tiers")
    if isinstance(tiers, list) and tiers:
        for tier in map(_mapping, tiers):
            bound = _mapping(tier.get("tier"))
            if bound.get("type") == "context":
                yield above_note(bound.get("size"), tier.get("input"), tier.get("output"), cost, 0)
    else:  # the older way of saying it; beside `tiers` it repeats the first one, whatever its bound is
        longer = _mapping(prices.get("context_over_200k"))
        yield above_note("200000", longer.get("input"), longer.get("output"), cost, 0)
    for way, key, unit in _UNITS:
        yield unit_note(way, unit, prices.get(key))
    if amount_text(prices.get("reasoning")) != amount_text(prices.get("output")):
        yield unit_note("output", "million reasoning tokens", prices.get("reasoning"))
    answers = _modalities(fields, "output")
    if answers and "text" not in answers:
        yield "its answers are no text"


def _claimed(model: str, fields: dict[str, Any]) -> Iterator[str]:
    for key, said in _SAYS.items():
        if fields.get(key) is True:
            yield from said
    for (way, modality), tag in _MODALITIES.items():
        if modality in _modalities(fields, way):
            yield tag
    # The list has no field for it, and gives the modality text to vectors.
    family = fields.get("family")
    if any("embed" in name.lower() for name in (family, model) if isinstance(name, str)):
        yield "embeddings"
    elif "text" in _modalities(fields, "output"):
        yield "streaming"


def _modalities(fields: dict[str, Any], way: str) -> list[Any]:
    said = _mapping(fields.get("modalities")).get(way)
    return said if isinstance(said, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
