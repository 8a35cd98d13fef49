"""Defects of routing: entries never first, cells without a model, twins."""

from __future__ import annotations

import random

from tests.support.mutations.mutation import free_to_change, mutation, pick, with_copy
from tests.support.mutations.source import Entry, Source


@mutation("AL501")
def _dearer_copy(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, free_to_change)
    cost = entry.value["cost"]
    dearer = f"{{ usdPerMtokIn: {cost['usdPerMtokIn'] + 1}, usdPerMtokOut: {cost['usdPerMtokOut'] + 2} }}"
    return with_copy(source, entry, field_="cost", line=f"    cost: {dearer}")


@mutation("AL501")
def _copy_with_less_context(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, free_to_change, lambda entry: entry.value["effectiveContextTokens"] % 1000 not in (0, 1))
    tokens = entry.value["effectiveContextTokens"] - rng.randint(1, 100)
    return with_copy(source, entry, field_="effectiveContextTokens", line=f"    effectiveContextTokens: {tokens}")


@mutation("AL502")
def _class_without_a_model(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.lines.index("models:") + 1
    name = rng.choice(("house-class", "legal-drafts"))
    return source.with_line(line, f"vocabulary: {{ capabilityClasses: [{name}] }}", "models:"), line


def _pair(source: Source, rng: random.Random) -> tuple[Entry, Entry]:
    """The two entries of a class that serve sensitive requests, in any order."""
    names = ("reasoning-large", "reasoning-small", "fast-draft", "coding-frontier")
    name = rng.choice(names)
    gone, left = rng.sample([entry for entry in source.entries if entry.kind == name and not entry.is_cloud], 2)
    return gone, left


@mutation("AL503")
def _one_of_two_disabled(source: Source, rng: random.Random) -> tuple[str, int]:
    gone, left = _pair(source, rng)
    shift = left.first > gone.first
    return source.with_after(gone.last, "    enabled: false"), left.lines["capabilityClass"] + shift


@mutation("AL503")
def _one_of_two_removed(source: Source, rng: random.Random) -> tuple[str, int]:
    gone, left = _pair(source, rng)
    shift = (gone.last - gone.first + 1) * (left.first > gone.first)
    return source.without(gone.first, gone.last), left.lines["capabilityClass"] - shift


@mutation("AL503")
def _one_of_two_closed_to_a_tier(source: Source, rng: random.Random) -> tuple[str, int]:
    gone, left = _pair(source, rng)
    return source.replaced(gone.lines["privacyAllowed"], ", sensitive", ""), left.lines["capabilityClass"]


@mutation("AL504")
def _copy_under_another_id(source: Source, rng: random.Random) -> tuple[str, int]:
    return with_copy(source, pick(source, rng, free_to_change))
