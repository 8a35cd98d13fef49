"""Defects of names and references: tags, classes, kinds, knobs, addresses, replacements."""

from __future__ import annotations

import random
import re

from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES
from tests.support.mutations.mutation import (
    free_to_change,
    has_comment,
    in_the_cloud,
    mutation,
    of_kind,
    pick,
    with_typo,
)
from tests.support.mutations.source import Entry, Source, with_house_tag


@mutation("AL201")
def _tag_misspelt_beside_the_right_one(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, free_to_change)
    tag = rng.choice([tag for tag in entry.value["provides"] if len(tag) > 8])
    wrong = tag
    while wrong in CAPABILITIES:
        wrong = rng.choice((with_typo(tag, rng), tag.replace("-", "_"), tag.upper()))
    line = source.line_with(entry, "[")
    return source.replaced(line, "[", f"[{wrong}, "), line


@mutation("AL201")
def _tag_misspelt(source: Source, rng: random.Random) -> tuple[str, int]:
    """Only where the class has no entry that could take over all that is left."""
    pairs = [
        (entry, tag)
        for entry in source.entries
        for tag in entry.value["provides"]
        if free_to_change(entry) and not source.never_alone(entry) and len(tag) > 8 and tag not in CAPABILITY_CLASSES
        if not any(_covers_without(other, entry, tag) for other in source.entries)
    ]
    entry, tag = rng.choice(pairs)
    line = source.line_with(entry, tag)
    return source.replaced(line, tag, with_typo(tag, rng)), line


def _covers_without(other: Entry, entry: Entry, tag: str) -> bool:
    value = {**entry.value, "provides": [have for have in entry.value["provides"] if have != tag]}
    return other.id != entry.id and other.covers(Entry(value, entry.first, entry.last, entry.lines))


@mutation("AL201")
def _class_misspelt(source: Source, rng: random.Random) -> tuple[str, int]:
    """That the class which nobody meant has too few models is no second defect, nor is the gap in the one meant."""
    entry = pick(source, rng, free_to_change, lambda entry: not source.never_alone(entry))
    line = entry.lines["capabilityClass"]
    return source.replaced(line, entry.kind, with_typo(entry.kind, rng)), line


@mutation("AL202", with_house_tag)
def _own_tag_misspelt(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, free_to_change, lambda entry: not source.never_alone(entry))
    line = source.line_with(entry, "house-style")
    return source.replaced(line, "house-style", with_typo("house-style", rng)), line


@mutation("AL203")
def _kind_without_a_transport(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, lambda entry: not has_comment(entry))
    line, kind = entry.lines["providerKind"], entry.value["providerKind"]
    wrong = rng.choice(("grpc", "bedrock", "openai", "mlx-lm", kind + "x", kind.upper()))
    return source.with_line(line, f"    providerKind: {wrong}"), line


@mutation("AL203")
def _kind_misspelt_above_a_comment(source: Source, rng: random.Random) -> tuple[str, int]:
    """Nothing is known of the knobs of an unknown kind, so what a comment says of them is not for nothing."""
    line = pick(source, rng, has_comment).lines["providerKind"]
    return source.with_line(line, f"    providerKind: {rng.choice(('mlxx', 'mlx-lm', 'MLX'))}"), line


@mutation("AL204")
def _misspelt_knob_of_mlx(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(pick(source, rng, of_kind("mlx")), "quantization:")
    return source.replaced(line, "quantization", with_typo("quantization", rng)), line


@mutation("AL204")
def _misspelt_knob_of_a_cloud(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, lambda entry: "sampling" in entry.value["providerConfig"].get("extra", {}))
    line = source.line_with(entry, "sampling:")
    return source.replaced(line, "sampling", with_typo("sampling", rng)), line


@mutation("AL205")
def _value_of_a_knob(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(pick(source, rng, of_kind("mlx")), "quantization:")
    lead = source.lines[line - 1].partition(":")[0]
    return source.with_line(line, f"{lead}: {rng.choice(('4', 'true', '[q4]', '{ a: 1 }'))}"), line


@mutation("AL205")
def _range_of_a_knob(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(pick(source, rng, of_kind("mlx")), "quantization:")
    knob = rng.choice(("minP: 1.5", "topK: -1", "samplerSeed: lucky", "numDraftTokens: 0", "chatTemplateKwargs: 1"))
    return source.with_after(line, f"        {knob}"), line + 1


@mutation("AL206")
def _launch_knob(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng, of_kind("mlx"), lambda entry: "bf16" in entry.id)
    line = source.line_with(entry, "quantization:")
    return source.with_after(line, "        kvCacheQuantized: true"), line + 1


@mutation("AL207")
def _kind_that_cannot_serve(source: Source, rng: random.Random) -> tuple[str, int]:
    """An entry of which mlx could serve all but one thing, moved to mlx."""
    cannot = {"embeddings", "structured-output", "json-mode", "constrained-decoding"}

    def one_thing(entry: Entry) -> bool:
        return entry.embeds or len(cannot & set(entry.value["provides"])) == 1

    entry = pick(source, rng, one_thing, lambda entry: "extra" not in entry.value["providerConfig"])
    text = source.with_line(entry.lines["providerKind"], "    providerKind: mlx")
    if entry.embeds:
        return text, entry.lines["capabilityClass"]
    return text, source.line_with(entry, next(iter(cannot & set(entry.value["provides"]))))


@mutation("AL208")
def _url_that_is_none(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(pick(source, rng), "baseUrl:")
    old = re.search(r"https?://[^\s\",}]+", source.lines[line - 1])
    assert old is not None
    bare = old[0].partition("://")[2]
    new = rng.choice((bare, f"ftp://{bare}", f"{old[0]}?key=1", f"{old[0]}#top", "http://", f"http:/{bare}"))
    quoted = '"' in source.lines[line - 1]
    return source.replaced(line, old[0], new if quoted else f'"{new}"'), line


@mutation("AL209")
def _deprecated(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    other = pick(source, rng, lambda other: other is not entry)
    replacement = rng.choice(("", f", replacement: {other.id}"))
    date = rng.choice(("2026-11-22", "2027-01-01", "2099-12-31"))
    return source.with_after(entry.last, f"    deprecation: {{ date: {date}{replacement} }}"), entry.last + 1


@mutation("AL210")
def _replacement_that_is_no_entry(source: Source, rng: random.Random) -> tuple[str, int]:
    entry, other = pick(source, rng), pick(source, rng)
    name = rng.choice((other.id + "x", "gone", entry.id))
    return source.with_after(
        entry.last, f"    deprecation: {{ date: 2099-12-31, replacement: {name} }}"
    ), entry.last + 1


@mutation("AL211")
def _variable_with_a_dollar(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(pick(source, rng, in_the_cloud), "apiKeyEnv:")
    lead, _, name = source.lines[line - 1].partition(": ")
    return source.with_line(line, f"{lead}: {rng.choice(('$', 'MY-', 'the '))}{name}"), line
