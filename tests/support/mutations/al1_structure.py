"""Defects of structure: syntax, fields, types and values."""

from __future__ import annotations

import random
import re

from tests.support.mutations.mutation import has, mutation, not_in_the_cloud, pick, with_typo
from tests.support.mutations.source import Source


@mutation("AL101")
def _tab_indents_a_line(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    line = entry.lines[rng.choice(("provider", "locality", "cost", "effectiveContextTokens"))]
    return source.with_line(line, "\t" + source.lines[line - 1].strip()), line


@mutation("AL101")
def _text_behind_a_quote(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng).lines["provider"]
    return source.with_line(line, "    provider: 'one' two"), line


@mutation("AL101")
def _second_colon(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng).lines[rng.choice(("provider", "locality", "capabilityClass"))]
    return source.with_line(line, source.lines[line - 1] + ": x"), line


@mutation("AL101")
def _line_without_a_colon(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng).lines["effectiveContextTokens"]
    return source.with_after(line, "    no colon here"), line + 1


@mutation("AL101")
def _reserved_letter(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng).lines["provider"]
    return source.with_line(line, f"    provider: {rng.choice('@`%')}x"), line


@mutation("AL101")
def _bracket_not_closed(source: Source, rng: random.Random) -> tuple[str, int]:
    """The parser notices on the next line, where the key that follows cannot stand in a list."""
    line = pick(source, rng).lines["privacyAllowed"]
    return source.replaced(line, "]", ""), line + 1


@mutation("AL102")
def _field_twice(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    line = entry.lines[rng.choice(("provider", "providerKind", "locality", "cost", "privacyAllowed"))]
    return source.with_after(entry.last, source.lines[line - 1]), entry.last + 1


@mutation("AL102")
def _price_twice(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng).lines["cost"]
    return source.replaced(line, " }", f", usdPerMtokIn: {rng.randint(0, 9)} }}"), line


@mutation("AL102")
def _top_level_key_twice(source: Source, rng: random.Random) -> tuple[str, int]:
    return "\n".join(source.lines).rstrip("\n") + "\nkind: ModelCatalog\n", len(source.lines)


@mutation("AL103")
def _misspelt_field(source: Source, rng: random.Random) -> tuple[str, int]:
    name, line = rng.choice([pair for pair in pick(source, rng).lines.items() if len(pair[0]) > 4])
    return source.replaced(line, f"{name}:", f"{with_typo(name, rng)}:"), line


@mutation("AL103")
def _snake_case_field(source: Source, rng: random.Random) -> tuple[str, int]:
    names = ("providerKind", "capabilityClass", "privacyAllowed", "effectiveContextTokens", "providerConfig")
    name = rng.choice(names)
    line = pick(source, rng).lines[name]
    return source.replaced(line, name, re.sub("[A-Z]", lambda match: "_" + match[0].lower(), name)), line


@mutation("AL103")
def _misspelt_price(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng).lines["cost"]
    name = rng.choice(("usdPerMtokIn", "usdPerMtokOut"))
    return source.replaced(line, f"{name}:", f"{with_typo(name, rng)}:"), line


@mutation("AL103")
def _unknown_field(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    return source.with_after(entry.last, f"    {rng.choice(('flavour', 'x-team', 'notes'))}: mint"), entry.last + 1


@mutation("AL104")
def _field_removed(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    names = ("provider", "providerKind", "locality", "capabilityClass", "privacyAllowed", "effectiveContextTokens")
    line = entry.lines[rng.choice((*names, "cost"))]
    return source.without(line, line), entry.first


@mutation("AL104")
def _price_removed(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng, not_in_the_cloud).lines["cost"]
    return source.with_line(line, f"    cost: {{ {rng.choice(('usdPerMtokIn', 'usdPerMtokOut'))}: 0 }}"), line


@mutation("AL104")
def _header_line_removed(source: Source, rng: random.Random) -> tuple[str, int]:
    """The mapping that lacks the key begins with the first key that is left."""
    line = source.lines.index(rng.choice(("apiVersion: aldo/models.v1", "kind: ModelCatalog"))) + 1
    return source.without(line, line), source.lines.index("apiVersion: aldo/models.v1") + 1


@mutation("AL105")
def _number_in_quotes(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    line, tokens = entry.lines["effectiveContextTokens"], entry.value["effectiveContextTokens"]
    return source.replaced(line, str(tokens), f'"{tokens}"'), line


@mutation("AL105")
def _another_type(source: Source, rng: random.Random) -> tuple[str, int]:
    cases = {
        "effectiveContextTokens": ("many", "true", "[1]", "{ a: 1 }", ""),
        "cost": ("3", "free", "[0, 0]", ""),
        "privacyAllowed": ("public", "{ public: true }", ""),
        "provider": ("7", "true", "[mlx]", ""),
        "id": ("7", "false"),
        "providerConfig": ("http://localhost:1", "[]"),
    }
    name = rng.choice(sorted(cases))
    entry = pick(source, rng, lambda entry: name != "providerConfig" or entry.lines[name] == entry.last)
    line = entry.lines[name]
    lead = source.lines[line - 1].partition(":")[0]
    return source.with_line(line, f"{lead}: {rng.choice(cases[name])}".rstrip()), line


@mutation("AL105")
def _word_for_a_truth(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    return source.with_after(entry.last, f"    enabled: {rng.choice(('yes', 'on', '1', 'Off'))}"), entry.last + 1


@mutation("AL106")
def _another_value(source: Source, rng: random.Random) -> tuple[str, int]:
    cases = {
        "locality": ("moon", "Local", "onprem", "''"),
        "effectiveContextTokens": ("0", "-5", "1.5"),
        "privacyAllowed": ("[]", "[public, secret]", "[Public]"),
        "id": ("''", "' '"),
        "cost": (
            "{ usdPerMtokIn: -1, usdPerMtokOut: 0 }",
            "{ usdPerMtokIn: 0.0000001, usdPerMtokOut: 1 }",
            "{ usdPerMtokIn: .inf, usdPerMtokOut: 1 }",
        ),
    }
    name = rng.choice(sorted(cases))
    line = pick(source, rng).lines[name]
    lead = source.lines[line - 1].partition(":")[0]
    return source.with_line(line, f"{lead}: {rng.choice(cases[name])}"), line


@mutation("AL106")
def _no_such_day(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng, has("asOf")).lines["asOf"]
    return source.with_line(line, f"    asOf: {rng.choice(('2026-02-30', '12.11.2026', '2026-11', 'soon'))}"), line


@mutation("AL106")
def _source_is_no_url(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng, has("source")).lines["source"]
    return source.replaced(line, "https://", rng.choice(("", "ftp://", "htp://"))), line


@mutation("AL107")
def _id_of_another(source: Source, rng: random.Random) -> tuple[str, int]:
    first, second = sorted(rng.sample(source.entries, 2), key=lambda entry: entry.first)
    return source.replaced(second.first, second.id, first.id), second.first


@mutation("AL107")
def _entry_twice(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    last = source.entries[-1].last
    return source.with_after(last, *source.lines[entry.first - 1 : entry.last]), last + 1


@mutation("AL108")
def _control_character(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    line = rng.randint(entry.first, entry.last)
    text = source.lines[line - 1]
    at = rng.randint(0, len(text))
    return source.with_line(line, text[:at] + rng.choice("\x00\x07\x1b\x7f") + text[at:]), line


@mutation("AL108")
def _byte_that_is_no_utf_8(source: Source, rng: random.Random) -> tuple[str, int]:
    line = rng.randint(1, len(source.lines) - 1)
    return source.with_line(line, source.lines[line - 1] + rng.choice(("\udcff", "\udcc3", "\udc80"))), line


@mutation("AL109")
def _another_kind(source: Source, rng: random.Random) -> tuple[str, int]:
    old, new = rng.choice(
        (
            ("kind: ModelCatalog", "kind: Deployment"),
            ("kind: ModelCatalog", "kind: ModelCatalogue"),
            ("apiVersion: aldo/models.v1", "apiVersion: aldo/models.v2"),
            ("apiVersion: aldo/models.v1", "apiVersion: apps/v1"),
        )
    )
    line = source.lines.index(old) + 1
    return source.with_line(line, new), line


@mutation("AL110")
def _second_document(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = rng.choice(source.entries[:-1])
    return source.with_after(entry.last, "---", "models:"), entry.last + 1


@mutation("AL110")
def _second_document_at_the_end(source: Source, rng: random.Random) -> tuple[str, int]:
    text = "\n".join(source.lines)
    return text + rng.choice(("---\n", "---\na: 1\n", "--- text\n")), len(source.lines)


@mutation("AL111")
def _alias_without_an_anchor(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    line = entry.lines[rng.choice(("provider", "privacyAllowed", "cost"))]
    lead = source.lines[line - 1].partition(":")[0]
    return source.with_line(line, f"{lead}: *nowhere"), line


@mutation("AL112")
def _tag_that_is_not_yaml_s(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    line = entry.lines[rng.choice(("provider", "locality", "effectiveContextTokens"))]
    tag = rng.choice(("!local", "!!python/name:os.system", "!!binary"))
    return source.replaced(line, ": ", f": {tag} "), line


@mutation("AL105")
def _key_that_is_no_text(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    return source.with_after(entry.last, f"    {rng.choice(('7', 'true', '1.5', '~'))}: x"), entry.last + 1


@mutation("AL112")
def _key_that_is_no_scalar(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    return source.with_after(entry.last, f"    {rng.choice(('[a]', '{ a: 1 }'))}: x"), entry.last + 1


@mutation("AL112")
def _number_without_end(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng).lines["effectiveContextTokens"]
    return source.with_line(line, "    effectiveContextTokens: 1" + "0" * rng.randint(400, 5000)), line


@mutation("AL113")
def _ambiguous_text(source: Source, rng: random.Random) -> tuple[str, int]:
    word = rng.choice(("NO", "yes", "Off", "22:30", "1:30:00", "on"))
    line = pick(source, rng).lines["provider"]
    return source.with_line(line, f"    provider: {word}"), line


@mutation("AL113")
def _ambiguous_number(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    line, tokens = entry.lines["effectiveContextTokens"], entry.value["effectiveContextTokens"]
    return source.replaced(line, str(tokens), f"{rng.choice(('0', '00'))}{tokens}"), line


@mutation("AL114")
def _header_removed(source: Source, rng: random.Random) -> tuple[str, int]:
    first = source.lines.index("apiVersion: aldo/models.v1") + 1
    return source.without(first, first + 2), source.entries[0].first - 3
