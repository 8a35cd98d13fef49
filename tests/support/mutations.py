"""Single defects for the shipped catalog: each a small edit of its text, with the code and the line to be found.

An edit may break one thing only. So an entry is left alone where the edit would also end what a comment in the
catalog ignores, or would make another entry the first choice of everything (`never_alone`): those are two defects.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES
from tests.support.cases import MODELS

SHIPPED = MODELS.read_text("utf-8")
_SUPPRESSED_CLASSES = frozenset({"local-reasoning", "reasoning-medium", "embeddings"})
"""Classes with entries whose equality or second rank a comment ignores; see the test of this module's premises."""
_TIERS = ("public", "internal", "sensitive")
_FIELD = re.compile(r"    (\w+):")


@dataclass(frozen=True)
class Broken:
    """A text with one defect: exactly this code is to be found, on this line."""

    text: str
    code: str
    line: int


@dataclass(frozen=True)
class Entry:
    """An entry of a catalog's text: its value, and its lines (from 1) by field."""

    value: dict[str, Any]
    first: int
    last: int
    lines: dict[str, int]

    @property
    def id(self) -> str:
        return str(self.value["id"])

    @property
    def kind(self) -> str:
        return str(self.value["capabilityClass"])

    @property
    def is_cloud(self) -> bool:
        return bool(self.value["locality"] == "cloud")

    @property
    def embeds(self) -> bool:
        return self.kind == "embeddings"

    @property
    def is_free_to_change(self) -> bool:
        """Whether no comment of the catalog speaks of its rank."""
        return self.is_cloud or self.kind not in _SUPPRESSED_CLASSES

    def covers(self, other: Entry, extra: str = "") -> bool:
        """Whether it could serve whatever the other serves, so that its price alone decides."""
        mine, theirs = self.value, other.value
        return (
            self.kind == other.kind
            and self is not other
            and {*mine["provides"], extra} >= set(theirs["provides"])
            and set(mine["privacyAllowed"]) >= set(theirs["privacyAllowed"])
            and mine["effectiveContextTokens"] >= theirs["effectiveContextTokens"]
            and mine.get("maxOutputTokens", 10**9) >= theirs.get("maxOutputTokens", 10**9)
        )


class Source:
    """The text of a catalog in lines, and its entries as another YAML reader sees them."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        starts = [number for number, line in enumerate(self.lines, 1) if line.startswith("  - id:")]
        values = yaml.safe_load(text)["models"]
        assert len(values) == len(starts)
        self.entries = [self._entry(value, start) for value, start in zip(values, starts, strict=True)]

    def _entry(self, value: dict[str, Any], start: int) -> Entry:
        last = start
        while last < len(self.lines) and self.lines[last].startswith("    "):
            last += 1
        fields = {"id": start}
        for number in range(start + 1, last + 1):
            match = _FIELD.match(self.lines[number - 1])
            if match is not None:
                fields[match[1]] = number
        return Entry(value, start, last, fields)

    def with_line(self, number: int, *lines: str) -> str:
        """The text with other lines in place of one."""
        return "\n".join([*self.lines[: number - 1], *lines, *self.lines[number:]])

    def with_after(self, number: int, *lines: str) -> str:
        return self.with_line(number, self.lines[number - 1], *lines)

    def without(self, first: int, last: int) -> str:
        return "\n".join(self.lines[: first - 1] + self.lines[last:])

    def replaced(self, number: int, old: str, new: str) -> str:
        line = self.lines[number - 1]
        assert old in line, (old, line)
        return self.with_line(number, line.replace(old, new, 1))

    def line_with(self, entry: Entry, text: str) -> int:
        """The line of the entry that holds the text."""
        return next(n for n in range(entry.first, entry.last + 1) if text in self.lines[n - 1])

    def never_alone(self, entry: Entry, extra: str = "") -> bool:
        """Whether a change of its rank could make it, or an entry of its class, never the first choice."""
        others = [other for other in self.entries if other.kind == entry.kind and other is not entry]
        return any(entry.covers(other, extra) or other.covers(entry) for other in others)


@cache
def shipped() -> Source:
    return Source(SHIPPED)


@cache
def with_house_tag() -> Source:
    """The shipped catalog in which every entry has a tag of the house, undeclared."""
    text = re.sub(r"(provides:\s+\[)", r"\1house-style, ", SHIPPED)
    return Source(text)


Mutate = Callable[[Source, random.Random], Broken]


@dataclass(frozen=True)
class Mutation:
    code: str
    name: str
    mutate: Mutate = field(repr=False)
    base: Callable[[], Source] = shipped

    def __str__(self) -> str:
        return f"{self.code}-{self.name}"

    def apply(self, rng: random.Random) -> Broken:
        broken = self.mutate(self.base(), rng)
        assert broken.code == self.code
        return broken


MUTATIONS: list[Mutation] = []


def _mutation(code: str, base: Callable[[], Source] = shipped) -> Callable[[Callable[..., tuple[str, int]]], None]:
    def register(function: Callable[..., tuple[str, int]]) -> None:
        def mutate(source: Source, rng: random.Random) -> Broken:
            text, line = function(source, rng)
            return Broken(text, code, line)

        MUTATIONS.append(Mutation(code, function.__name__.strip("_").replace("_", "-"), mutate, base))

    return register


def _pick(source: Source, rng: random.Random, *conditions: Callable[[Entry], bool]) -> Entry:
    return rng.choice([entry for entry in source.entries if all(condition(entry) for condition in conditions)])


def _cloud(entry: Entry) -> bool:
    return entry.is_cloud


def _local(entry: Entry) -> bool:
    return not entry.is_cloud


def _free(entry: Entry) -> bool:
    return entry.is_free_to_change


def _has(*fields: str) -> Callable[[Entry], bool]:
    return lambda entry: all(name in entry.value for name in fields)


def _lacks(name: str) -> Callable[[Entry], bool]:
    return lambda entry: name not in entry.value


def _of_kind(kind: str) -> Callable[[Entry], bool]:
    return lambda entry: entry.value["providerKind"] == kind


def _typo(word: str, rng: random.Random) -> str:
    """One letter left out, doubled, or swapped with its neighbour; never a digit, never a short piece."""
    while True:
        at = rng.randrange(1, len(word) - 1)
        if not word[at : at + 2].isalpha() or word[at] == word[at + 1] or not word[at - 1].isalpha():
            continue
        changed = rng.choice(
            (
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            )
        )
        if changed != word:
            return changed


def _copy(source: Source, entry: Entry, *, field_: str = "", line: str = "") -> tuple[str, int]:
    """The text with a copy of the entry behind it, whose id comes later; one field may differ."""
    copied = list(source.lines[entry.first - 1 : entry.last])
    copied[0] = f"  - id: {entry.id}-zz"
    if field_:
        copied[entry.lines[field_] - entry.first] = line
    return source.with_after(entry.last, *copied), entry.last + 1


# 1xx, structure


@_mutation("AL101")
def _tab_indents_a_line(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    line = entry.lines[rng.choice(("provider", "locality", "cost", "effectiveContextTokens"))]
    return source.with_line(line, "\t" + source.lines[line - 1].strip()), line


@_mutation("AL101")
def _text_behind_a_quote(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng).lines["provider"]
    return source.with_line(line, "    provider: 'one' two"), line


@_mutation("AL101")
def _second_colon(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng).lines[rng.choice(("provider", "locality", "capabilityClass"))]
    return source.with_line(line, source.lines[line - 1] + ": x"), line


@_mutation("AL101")
def _line_without_a_colon(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng).lines["effectiveContextTokens"]
    return source.with_after(line, "    no colon here"), line + 1


@_mutation("AL101")
def _reserved_letter(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng).lines["provider"]
    return source.with_line(line, f"    provider: {rng.choice('@`%')}x"), line


@_mutation("AL101")
def _bracket_not_closed(source: Source, rng: random.Random) -> tuple[str, int]:
    """The parser notices on the next line, where the key that follows cannot stand in a list."""
    line = _pick(source, rng).lines["privacyAllowed"]
    return source.replaced(line, "]", ""), line + 1


@_mutation("AL102")
def _field_twice(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    line = entry.lines[rng.choice(("provider", "providerKind", "locality", "cost", "privacyAllowed"))]
    return source.with_after(entry.last, source.lines[line - 1]), entry.last + 1


@_mutation("AL102")
def _price_twice(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng).lines["cost"]
    return source.replaced(line, " }", f", usdPerMtokIn: {rng.randint(0, 9)} }}"), line


@_mutation("AL102")
def _top_level_key_twice(source: Source, rng: random.Random) -> tuple[str, int]:
    return "\n".join(source.lines).rstrip("\n") + "\nkind: ModelCatalog\n", len(source.lines)


@_mutation("AL103")
def _misspelt_field(source: Source, rng: random.Random) -> tuple[str, int]:
    name, line = rng.choice([pair for pair in _pick(source, rng).lines.items() if len(pair[0]) > 4])
    return source.replaced(line, f"{name}:", f"{_typo(name, rng)}:"), line


@_mutation("AL103")
def _snake_case_field(source: Source, rng: random.Random) -> tuple[str, int]:
    names = ("providerKind", "capabilityClass", "privacyAllowed", "effectiveContextTokens", "providerConfig")
    name = rng.choice(names)
    line = _pick(source, rng).lines[name]
    return source.replaced(line, name, re.sub("[A-Z]", lambda match: "_" + match[0].lower(), name)), line


@_mutation("AL103")
def _misspelt_price(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng).lines["cost"]
    name = rng.choice(("usdPerMtokIn", "usdPerMtokOut"))
    return source.replaced(line, f"{name}:", f"{_typo(name, rng)}:"), line


@_mutation("AL103")
def _unknown_field(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    return source.with_after(entry.last, f"    {rng.choice(('flavour', 'x-team', 'notes'))}: mint"), entry.last + 1


@_mutation("AL104")
def _field_removed(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    names = ("provider", "providerKind", "locality", "capabilityClass", "privacyAllowed", "effectiveContextTokens")
    line = entry.lines[rng.choice((*names, "cost"))]
    return source.without(line, line), entry.first


@_mutation("AL104")
def _price_removed(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng, _local).lines["cost"]
    return source.with_line(line, f"    cost: {{ {rng.choice(('usdPerMtokIn', 'usdPerMtokOut'))}: 0 }}"), line


@_mutation("AL104")
def _header_line_removed(source: Source, rng: random.Random) -> tuple[str, int]:
    """The mapping that lacks the key begins with the first key that is left."""
    line = source.lines.index(rng.choice(("apiVersion: aldo/models.v1", "kind: ModelCatalog"))) + 1
    return source.without(line, line), source.lines.index("apiVersion: aldo/models.v1") + 1


@_mutation("AL105")
def _number_in_quotes(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    line, tokens = entry.lines["effectiveContextTokens"], entry.value["effectiveContextTokens"]
    return source.replaced(line, str(tokens), f'"{tokens}"'), line


@_mutation("AL105")
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
    entry = _pick(source, rng, lambda entry: name != "providerConfig" or entry.lines[name] == entry.last)
    line = entry.lines[name]
    lead = source.lines[line - 1].partition(":")[0]
    return source.with_line(line, f"{lead}: {rng.choice(cases[name])}".rstrip()), line


@_mutation("AL105")
def _word_for_a_truth(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    return source.with_after(entry.last, f"    enabled: {rng.choice(('yes', 'on', '1', 'Off'))}"), entry.last + 1


@_mutation("AL106")
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
    line = _pick(source, rng).lines[name]
    lead = source.lines[line - 1].partition(":")[0]
    return source.with_line(line, f"{lead}: {rng.choice(cases[name])}"), line


@_mutation("AL106")
def _no_such_day(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng, _has("asOf")).lines["asOf"]
    return source.with_line(line, f"    asOf: {rng.choice(('2026-02-30', '12.11.2026', '2026-11', 'soon'))}"), line


@_mutation("AL106")
def _source_is_no_url(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng, _has("source")).lines["source"]
    return source.replaced(line, "https://", rng.choice(("", "ftp://", "htp://"))), line


@_mutation("AL107")
def _id_of_another(source: Source, rng: random.Random) -> tuple[str, int]:
    first, second = sorted(rng.sample(source.entries, 2), key=lambda entry: entry.first)
    return source.replaced(second.first, second.id, first.id), second.first


@_mutation("AL107")
def _entry_twice(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    last = source.entries[-1].last
    return source.with_after(last, *source.lines[entry.first - 1 : entry.last]), last + 1


@_mutation("AL108")
def _control_character(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    line = rng.randint(entry.first, entry.last)
    text = source.lines[line - 1]
    at = rng.randint(0, len(text))
    return source.with_line(line, text[:at] + rng.choice("\x00\x07\x1b\x7f") + text[at:]), line


@_mutation("AL108")
def _byte_that_is_no_utf_8(source: Source, rng: random.Random) -> tuple[str, int]:
    line = rng.randint(1, len(source.lines) - 1)
    return source.with_line(line, source.lines[line - 1] + rng.choice(("\udcff", "\udcc3", "\udc80"))), line


@_mutation("AL109")
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


@_mutation("AL110")
def _second_document(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = rng.choice(source.entries[:-1])
    return source.with_after(entry.last, "---", "models:"), entry.last + 1


@_mutation("AL110")
def _second_document_at_the_end(source: Source, rng: random.Random) -> tuple[str, int]:
    text = "\n".join(source.lines)
    return text + rng.choice(("---\n", "---\na: 1\n", "--- text\n")), len(source.lines)


@_mutation("AL111")
def _alias_without_an_anchor(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    line = entry.lines[rng.choice(("provider", "privacyAllowed", "cost"))]
    lead = source.lines[line - 1].partition(":")[0]
    return source.with_line(line, f"{lead}: *nowhere"), line


@_mutation("AL112")
def _tag_that_is_not_yaml_s(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    line = entry.lines[rng.choice(("provider", "locality", "effectiveContextTokens"))]
    tag = rng.choice(("!local", "!!python/name:os.system", "!!binary"))
    return source.replaced(line, ": ", f": {tag} "), line


@_mutation("AL105")
def _key_that_is_no_text(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    return source.with_after(entry.last, f"    {rng.choice(('7', 'true', '1.5', '~'))}: x"), entry.last + 1


@_mutation("AL112")
def _key_that_is_no_scalar(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    return source.with_after(entry.last, f"    {rng.choice(('[a]', '{ a: 1 }'))}: x"), entry.last + 1


@_mutation("AL112")
def _number_without_end(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng).lines["effectiveContextTokens"]
    return source.with_line(line, "    effectiveContextTokens: 1" + "0" * rng.randint(400, 5000)), line


@_mutation("AL113")
def _ambiguous_text(source: Source, rng: random.Random) -> tuple[str, int]:
    word = rng.choice(("NO", "yes", "Off", "22:30", "1:30:00", "on"))
    line = _pick(source, rng).lines["provider"]
    return source.with_line(line, f"    provider: {word}"), line


@_mutation("AL113")
def _ambiguous_number(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    line, tokens = entry.lines["effectiveContextTokens"], entry.value["effectiveContextTokens"]
    return source.replaced(line, str(tokens), f"{rng.choice(('0', '00'))}{tokens}"), line


@_mutation("AL114")
def _header_removed(source: Source, rng: random.Random) -> tuple[str, int]:
    first = source.lines.index("apiVersion: aldo/models.v1") + 1
    return source.without(first, first + 2), source.entries[0].first - 3


# 2xx, names and references


@_mutation("AL201")
def _tag_misspelt_beside_the_right_one(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, _free)
    tag = rng.choice([tag for tag in entry.value["provides"] if len(tag) > 8])
    wrong = tag
    while wrong in CAPABILITIES:
        wrong = rng.choice((_typo(tag, rng), tag.replace("-", "_"), tag.upper()))
    line = source.line_with(entry, "[")
    return source.replaced(line, "[", f"[{wrong}, "), line


@_mutation("AL201")
def _tag_misspelt(source: Source, rng: random.Random) -> tuple[str, int]:
    """Only where the class has no entry that could take over all that is left."""
    pairs = [
        (entry, tag)
        for entry in source.entries
        for tag in entry.value["provides"]
        if _free(entry) and not source.never_alone(entry) and len(tag) > 8 and tag not in CAPABILITY_CLASSES
        if not any(_covers_without(other, entry, tag) for other in source.entries)
    ]
    entry, tag = rng.choice(pairs)
    line = source.line_with(entry, tag)
    return source.replaced(line, tag, _typo(tag, rng)), line


def _covers_without(other: Entry, entry: Entry, tag: str) -> bool:
    value = {**entry.value, "provides": [have for have in entry.value["provides"] if have != tag]}
    return other.id != entry.id and other.covers(Entry(value, entry.first, entry.last, entry.lines))


@_mutation("AL201")
def _class_misspelt(source: Source, rng: random.Random) -> tuple[str, int]:
    """That the class which nobody meant has too few models is no second defect, nor is the gap in the one meant."""
    entry = _pick(source, rng, _free, lambda entry: not source.never_alone(entry))
    line = entry.lines["capabilityClass"]
    return source.replaced(line, entry.kind, _typo(entry.kind, rng)), line


@_mutation("AL202", with_house_tag)
def _own_tag_misspelt(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, _free, lambda entry: not source.never_alone(entry))
    line = source.line_with(entry, "house-style")
    return source.replaced(line, "house-style", _typo("house-style", rng)), line


@_mutation("AL203")
def _kind_without_a_transport(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, lambda entry: not _has_comment(entry))
    line, kind = entry.lines["providerKind"], entry.value["providerKind"]
    wrong = rng.choice(("grpc", "bedrock", "openai", "mlx-lm", kind + "x", kind.upper()))
    return source.with_line(line, f"    providerKind: {wrong}"), line


def _has_comment(entry: Entry) -> bool:
    """Whether a comment inside it ignores a finding about its knobs."""
    return "kvCacheQuantized" in entry.value["providerConfig"].get("extra", {})


@_mutation("AL203")
def _kind_misspelt_above_a_comment(source: Source, rng: random.Random) -> tuple[str, int]:
    """Nothing is known of the knobs of an unknown kind, so what a comment says of them is not for nothing."""
    line = _pick(source, rng, _has_comment).lines["providerKind"]
    return source.with_line(line, f"    providerKind: {rng.choice(('mlxx', 'mlx-lm', 'MLX'))}"), line


@_mutation("AL204")
def _misspelt_knob_of_mlx(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(_pick(source, rng, _of_kind("mlx")), "quantization:")
    return source.replaced(line, "quantization", _typo("quantization", rng)), line


@_mutation("AL204")
def _misspelt_knob_of_a_cloud(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, lambda entry: "sampling" in entry.value["providerConfig"].get("extra", {}))
    line = source.line_with(entry, "sampling:")
    return source.replaced(line, "sampling", _typo("sampling", rng)), line


@_mutation("AL205")
def _value_of_a_knob(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(_pick(source, rng, _of_kind("mlx")), "quantization:")
    lead = source.lines[line - 1].partition(":")[0]
    return source.with_line(line, f"{lead}: {rng.choice(('4', 'true', '[q4]', '{ a: 1 }'))}"), line


@_mutation("AL205")
def _range_of_a_knob(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(_pick(source, rng, _of_kind("mlx")), "quantization:")
    knob = rng.choice(("minP: 1.5", "topK: -1", "samplerSeed: lucky", "numDraftTokens: 0", "chatTemplateKwargs: 1"))
    return source.with_after(line, f"        {knob}"), line + 1


@_mutation("AL206")
def _launch_knob(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, _of_kind("mlx"), lambda entry: "bf16" in entry.id)
    line = source.line_with(entry, "quantization:")
    return source.with_after(line, "        kvCacheQuantized: true"), line + 1


@_mutation("AL207")
def _kind_that_cannot_serve(source: Source, rng: random.Random) -> tuple[str, int]:
    """An entry of which mlx could serve all but one thing, moved to mlx."""
    cannot = {"embeddings", "structured-output", "json-mode", "constrained-decoding"}

    def one_thing(entry: Entry) -> bool:
        return entry.embeds or len(cannot & set(entry.value["provides"])) == 1

    entry = _pick(source, rng, one_thing, lambda entry: "extra" not in entry.value["providerConfig"])
    text = source.with_line(entry.lines["providerKind"], "    providerKind: mlx")
    if entry.embeds:
        return text, entry.lines["capabilityClass"]
    return text, source.line_with(entry, next(iter(cannot & set(entry.value["provides"]))))


@_mutation("AL208")
def _url_that_is_none(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(_pick(source, rng), "baseUrl:")
    old = re.search(r"https?://[^\s\",}]+", source.lines[line - 1])
    assert old is not None
    bare = old[0].partition("://")[2]
    new = rng.choice((bare, f"ftp://{bare}", f"{old[0]}?key=1", f"{old[0]}#top", "http://", f"http:/{bare}"))
    quoted = '"' in source.lines[line - 1]
    return source.replaced(line, old[0], new if quoted else f'"{new}"'), line


@_mutation("AL209")
def _deprecated(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    other = _pick(source, rng, lambda other: other is not entry)
    replacement = rng.choice(("", f", replacement: {other.id}"))
    date = rng.choice(("2026-11-22", "2027-01-01", "2099-12-31"))
    return source.with_after(entry.last, f"    deprecation: {{ date: {date}{replacement} }}"), entry.last + 1


@_mutation("AL210")
def _replacement_that_is_no_entry(source: Source, rng: random.Random) -> tuple[str, int]:
    entry, other = _pick(source, rng), _pick(source, rng)
    name = rng.choice((other.id + "x", "gone", entry.id))
    return source.with_after(
        entry.last, f"    deprecation: {{ date: 2099-12-31, replacement: {name} }}"
    ), entry.last + 1


@_mutation("AL211")
def _variable_with_a_dollar(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(_pick(source, rng, _cloud), "apiKeyEnv:")
    lead, _, name = source.lines[line - 1].partition(": ")
    return source.with_line(line, f"{lead}: {rng.choice(('$', 'MY-', 'the '))}{name}"), line


# 3xx, privacy and security


@_mutation("AL301")
def _sensitive_in_the_cloud(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng, _cloud).lines["privacyAllowed"]
    tiers = rng.choice(("[public, internal, sensitive]", "[sensitive, public, internal]", "[public, sensitive]"))
    return source.with_line(line, f"    privacyAllowed: {tiers}"), line


@_mutation("AL302")
def _local_entry_elsewhere(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(_pick(source, rng, _local), "baseUrl:")
    host = rng.choice(("192.168.1.20", "example.com", "[2001:db8::1]", "localhost.example.com", "127.0.0.1.nip.io"))
    text = re.sub(r'"?http://localhost:(\d+)"?', rf'"http://{host}:\1"', source.lines[line - 1])
    return source.with_line(line, text), line


@_mutation("AL303")
def _plain_http(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(_pick(source, rng, _cloud), "baseUrl:")
    return source.replaced(line, "https://", "http://"), line


_KEY = "sk-proj-Zq81kXw02mVbT5yHc9"


@_mutation("AL304")
def _key_in_place_of_its_variable(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(_pick(source, rng, _cloud), "apiKeyEnv:")
    return source.with_line(line, f"      apiKeyEnv: {_KEY}"), line


@_mutation("AL304")
def _key_in_a_comment(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng).lines["cost"]
    return source.with_line(line, source.lines[line - 1] + f"   # was {_KEY}"), line


@_mutation("AL304")
def _key_in_a_text(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    return source.with_after(entry.last, f"    description: log in with {_KEY}"), entry.last + 1


@_mutation("AL304")
def _authorization_header(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(_pick(source, rng, _cloud), "apiKeyEnv:")
    name = rng.choice(("Authorization: Bearer 0f9d8c7b6a5e4d3c2b1a", "X-Api-Key: 0f9d8c7b6a5e4d3c2b1a"))
    return source.with_after(line, f"      headers: {{ {name} }}"), line + 1


@_mutation("AL304")
def _password_in_a_url(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(_pick(source, rng), "baseUrl:")
    return source.replaced(line, "://", "://admin:hunter2hunter2@"), line


@_mutation("AL305")
def _hole_in_the_tiers(source: Source, rng: random.Random) -> tuple[str, int]:
    """Of a class that keeps two models for internal requests."""
    entry = _pick(
        source,
        rng,
        _local,
        _free,
        lambda entry: sum(o.kind == entry.kind and "internal" in o.value["privacyAllowed"] for o in source.entries) > 2,
    )
    line = entry.lines["privacyAllowed"]
    return source.replaced(line, "public, internal, ", rng.choice(("public, ", ""))), line


# 4xx, cost and limits


@_mutation("AL401")
def _cloud_for_nothing(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, _cloud, lambda entry: not source.never_alone(entry))
    line = entry.lines["cost"]
    prices = {name: entry.value["cost"][name] for name in ("usdPerMtokIn", "usdPerMtokOut")}
    free = prices if entry.embeds else rng.choice((("usdPerMtokIn",), ("usdPerMtokOut",), prices))
    prices |= dict.fromkeys(free, 0)
    written = ", ".join(f"{name}: {price}" for name, price in prices.items())
    return source.with_line(line, f"    cost: {{ {written} }}"), line


@_mutation("AL402")
def _price_in_another_unit(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, _cloud, lambda entry: not entry.embeds and not source.never_alone(entry))
    line = entry.lines["cost"]
    low, high = rng.choice((("0.000002", "0.00001"), ("0.0012", "0.0048"), ("0.003", "0.015")))
    return source.with_line(line, f"    cost: {{ usdPerMtokIn: {low}, usdPerMtokOut: {high} }}"), line


@_mutation("AL403")
def _prices_swapped(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, _cloud, lambda entry: not entry.embeds and not source.never_alone(entry))
    cost, line = entry.value["cost"], entry.lines["cost"]
    written = f"{{ usdPerMtokIn: {cost['usdPerMtokOut']}, usdPerMtokOut: {cost['usdPerMtokIn']} }}"
    return source.with_line(line, f"    cost: {written}"), line


@_mutation("AL404")
def _cached_input_dearer(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, _cloud)
    cost, line = entry.value["cost"], entry.lines["cost"]
    written = f"usdPerMtokIn: {cost['usdPerMtokIn']}, usdPerMtokOut: {cost['usdPerMtokOut']}"
    dearer = f"{cost['usdPerMtokIn'] * rng.choice((1.25, 2, 10)):.6f}"
    return source.with_line(line, f"    cost: {{ {written}, usdPerMtokCacheRead: {dearer} }}"), line


@_mutation("AL405")
def _context_tag_too_large(source: Source, rng: random.Random) -> tuple[str, int]:
    tags = {"32k-context": 32_000, "128k-context": 128_000, "200k-context": 200_000, "1m-context": 1_000_000}
    pairs = [
        (entry, tag)
        for entry in source.entries
        for tag, tokens in tags.items()
        if _free(entry) and not source.never_alone(entry, tag) and entry.value["effectiveContextTokens"] < tokens
    ]
    entry, tag = rng.choice(pairs)
    line = source.line_with(entry, "[")
    return source.replaced(line, "[", f"[{tag}, "), line


@_mutation("AL406")
def _answer_above_the_context(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, _free, lambda entry: not source.never_alone(entry), _lacks("maxOutputTokens"))
    most = entry.value["effectiveContextTokens"] * rng.choice((2, 10)) + 1
    return source.with_after(entry.last, f"    maxOutputTokens: {most}"), entry.last + 1


@_mutation("AL407")
def _stale_price(source: Source, rng: random.Random) -> tuple[str, int]:
    line = _pick(source, rng, _has("asOf")).lines["asOf"]
    return source.with_line(
        line, f"    asOf: {rng.choice(('2026-05-25', '2019-01-01', '2026-11-23', '2062-11-12'))}"
    ), line


@_mutation("AL408")
def _gone_model(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng)
    date = rng.choice(("2026-11-21", "2019-01-01"))
    return source.with_after(entry.last, f"    deprecation: {{ date: {date} }}"), entry.last + 1


# 5xx, routing


@_mutation("AL501")
def _dearer_copy(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, _free)
    cost = entry.value["cost"]
    dearer = f"{{ usdPerMtokIn: {cost['usdPerMtokIn'] + 1}, usdPerMtokOut: {cost['usdPerMtokOut'] + 2} }}"
    return _copy(source, entry, field_="cost", line=f"    cost: {dearer}")


@_mutation("AL501")
def _copy_with_less_context(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = _pick(source, rng, _free, lambda entry: entry.value["effectiveContextTokens"] % 1000 not in (0, 1))
    tokens = entry.value["effectiveContextTokens"] - rng.randint(1, 100)
    return _copy(source, entry, field_="effectiveContextTokens", line=f"    effectiveContextTokens: {tokens}")


@_mutation("AL502")
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


@_mutation("AL503")
def _one_of_two_disabled(source: Source, rng: random.Random) -> tuple[str, int]:
    gone, left = _pair(source, rng)
    shift = left.first > gone.first
    return source.with_after(gone.last, "    enabled: false"), left.lines["capabilityClass"] + shift


@_mutation("AL503")
def _one_of_two_removed(source: Source, rng: random.Random) -> tuple[str, int]:
    gone, left = _pair(source, rng)
    shift = (gone.last - gone.first + 1) * (left.first > gone.first)
    return source.without(gone.first, gone.last), left.lines["capabilityClass"] - shift


@_mutation("AL503")
def _one_of_two_closed_to_a_tier(source: Source, rng: random.Random) -> tuple[str, int]:
    gone, left = _pair(source, rng)
    return source.replaced(gone.lines["privacyAllowed"], ", sensitive", ""), left.lines["capabilityClass"]


@_mutation("AL504")
def _copy_under_another_id(source: Source, rng: random.Random) -> tuple[str, int]:
    return _copy(source, _pick(source, rng, _free))


# 9xx, comments that ignore findings


def _commented(source: Source, rng: random.Random, comment: str) -> tuple[str, int]:
    entry = _pick(source, rng)
    if rng.random() < 0.5:
        return source.with_line(entry.first, f"  {comment}", source.lines[entry.first - 1]), entry.first
    line = entry.lines[rng.choice(("id", "provider", "cost", "privacyAllowed"))]
    return source.with_line(line, f"{source.lines[line - 1]}   {comment}"), line


@_mutation("AL901")
def _comment_for_nothing(source: Source, rng: random.Random) -> tuple[str, int]:
    code = rng.choice(("AL201", "AL301", "AL407", "AL502", "AL503"))
    return _commented(source, rng, f"# aldo: ignore[{code}] it was so once")


@_mutation("AL901")
def _reason_gone(source: Source, rng: random.Random) -> tuple[str, int]:
    """The defect that a comment ignores is mended, the comment stays."""
    line = source.line_with(_pick(source, rng, _has_comment), "kvCacheQuantized: true")
    return source.replaced(line, "true", "false"), line


@_mutation("AL902")
def _comment_for_no_rule(source: Source, rng: random.Random) -> tuple[str, int]:
    code = rng.choice(("[AL999]", "[AL1]", "[syntax]", "[AL103]", "[AL107]", " AL304", "", "[]"))
    return _commented(source, rng, f"# aldo: ignore{code} a reason")
