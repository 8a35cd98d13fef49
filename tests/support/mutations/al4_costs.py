"""Defects of costs and limits."""

from __future__ import annotations

import random

from tests.support.mutations.mutation import free_to_change, has, in_the_cloud, lacks, mutation, pick
from tests.support.mutations.source import Source


@mutation("AL401")
def _cloud_for_nothing(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, in_the_cloud, lambda entry: not source.never_alone(entry))
    line = entry.lines["cost"]
    prices = {name: entry.value["cost"][name] for name in ("usdPerMtokIn", "usdPerMtokOut")}
    free = prices if entry.embeds else rng.choice((("usdPerMtokIn",), ("usdPerMtokOut",), prices))
    prices |= dict.fromkeys(free, 0)
    written = ", ".join(f"{name}: {price}" for name, price in prices.items())
    return source.with_line(line, f"    cost: {{ {written} }}"), line


@mutation("AL402")
def _price_in_another_unit(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, in_the_cloud, lambda entry: not entry.embeds and not source.never_alone(entry))
    line = entry.lines["cost"]
    low, high = rng.choice((("0.000002", "0.00001"), ("0.0012", "0.0048"), ("0.003", "0.015")))
    return source.with_line(line, f"    cost: {{ usdPerMtokIn: {low}, usdPerMtokOut: {high} }}"), line


@mutation("AL403")
def _prices_swapped(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, in_the_cloud, lambda entry: not entry.embeds and not source.never_alone(entry))
    cost, line = entry.value["cost"], entry.lines["cost"]
    written = f"{{ usdPerMtokIn: {cost['usdPerMtokOut']}, usdPerMtokOut: {cost['usdPerMtokIn']} }}"
    return source.with_line(line, f"    cost: {written}"), line


@mutation("AL404")
def _cached_input_dearer(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, in_the_cloud)
    cost, line = entry.value["cost"], entry.lines["cost"]
    written = f"usdPerMtokIn: {cost['usdPerMtokIn']}, usdPerMtokOut: {cost['usdPerMtokOut']}"
    dearer = f"{cost['usdPerMtokIn'] * rng.choice((1.25, 2, 10)):.6f}"
    return source.with_line(line, f"    cost: {{ {written}, usdPerMtokCacheRead: {dearer} }}"), line


@mutation("AL405")
def _context_tag_too_large(source: Source, rng: random.Random) -> tuple[str, int]:
    tags = {"32k-context": 32_000, "128k-context": 128_000, "200k-context": 200_000, "1m-context": 1_000_000}
    pairs = [
        (entry, tag)
        for entry in source.entries
        for tag, tokens in tags.items()
        if free_to_change(entry)
        and not source.never_alone(entry, tag)
        and entry.value["effectiveContextTokens"] < tokens
    ]
    entry, tag = rng.choice(pairs)
    line = source.line_with(entry, "[")
    return source.replaced(line, "[", f"[{tag}, "), line


@mutation("AL406")
def _answer_above_the_context(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, free_to_change, lambda entry: not source.never_alone(entry), lacks("maxOutputTokens"))
    most = entry.value["effectiveContextTokens"] * rng.choice((2, 10)) + 1
    return source.with_after(entry.last, f"    maxOutputTokens: {most}"), entry.last + 1


@mutation("AL407")
def _stale_price(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng, has("asOf")).lines["asOf"]
    return source.with_line(
        line, f"    asOf: {rng.choice(('2026-05-25', '2019-01-01', '2026-11-23', '2062-11-12'))}"
    ), line


@mutation("AL408")
def _gone_model(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    date = rng.choice(("2026-11-21", "2019-01-01"))
    return source.with_after(entry.last, f"    deprecation: {{ date: {date} }}"), entry.last + 1
