"""What overlays are told: one defect, one finding, at its place and at the place it speaks of; locks; the result.

In the texts below `‹` stands before the place of the finding and `«` before the related place; neither is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aldo import AldoError, CatalogError, load_catalog
from aldo.catalog.layers import read_layers
from aldo.errors import Finding

HEAD = "apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay\n"
BASE = """\
apiVersion: aldo/models.v1
kind: ModelCatalog
models:
  - id: one
    provider: p
    providerKind: openai-compat
    locality: local
    capabilityClass: fast-draft
    provides: [streaming, vision]
    privacyAllowed: [public, internal]
    effectiveContextTokens: 100
    cost: { usdPerMtokIn: 1, usdPerMtokOut: 2 }
    providerConfig:
      baseUrl: http://localhost:1
      headers: { X.y: z }
      extra: { num: 1, text: t, flag: true, items: [1], deep: { a: 1, b.c: 2 }, none: null }
    description: first
    latencyP95Ms: 10
  - id: two
    provider: p
    providerKind: openai-compat
    locality: on-prem
    capabilityClass: fast-draft
    provides: [streaming]
    privacyAllowed: [public]
    effectiveContextTokens: 100
    cost: { usdPerMtokIn: 1, usdPerMtokOut: 2 }
"""
LOCKED = BASE.replace("models:", "lock: [privacyAllowed, locality]\nmodels:")
ADDED = """\
add:
  - id: {id}
    provider: p
    providerKind: openai-compat
    locality: {locality}
    capabilityClass: fast-draft
    provides: [streaming]
    privacyAllowed: [{tiers}]
    effectiveContextTokens: 100
    cost: {{ usdPerMtokIn: 1, usdPerMtokOut: 2 }}
"""
Place = tuple[str, int, int]
"""File name, line, column."""


def added(name: str, *, locality: str = "on-prem", tiers: str = "public") -> str:
    return ADDED.format(id=name, locality=locality, tiers=tiers)


def without_marks(text: str) -> str:
    return text.replace("‹", "").replace("«", "")


def marked(files: dict[str, str], mark: str) -> list[Place]:
    """Where a mark stands, in order."""
    other = "‹«".replace(mark, "")
    found = []
    for name, text in files.items():
        for number, line in enumerate(text.splitlines(), start=1):
            parts = line.replace(other, "").replace("\ufffd", "").split(mark)
            found += [(name, number, sum(map(len, parts[:size])) + 1) for size in range(1, len(parts))]
    return found


def write(folder: Path, base: str, overlays: tuple[str, ...]) -> dict[str, str]:
    """The files with their marks, written without."""
    files = {"base.yaml": base}
    for number, text in enumerate(overlays, start=1):
        files[f"{number}.yaml"] = text if "apiVersion" in text or "\ufffd" in text else HEAD + text
    for name, text in files.items():
        (folder / name).write_text(without_marks(text).replace("\ufffd", ""), encoding="utf-8")
    return files


def findings_of(folder: Path, base: str, *overlays: str) -> list[Finding]:
    """All findings but that numbers or words are ambiguous and that a list is bare."""
    files = write(folder, base, overlays)
    paths = [str(folder / name) for name in files]
    found = read_layers(paths[0], paths[1:]).findings
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        with pytest.raises(CatalogError) as raised:
            load_catalog(paths[0], overlays=paths[1:])
        assert list(raised.value.findings) == errors
    else:
        load_catalog(paths[0], overlays=paths[1:])
    return [finding for finding in found if finding.code not in ("AL113", "AL114")]


def place_of(path: str, span: Any) -> Place | None:
    return span and (Path(path).name, span.line, span.column)


def seen(findings: list[Finding]) -> list[tuple[str, Place | None]]:
    return [(finding.code, place_of(finding.path, finding.span)) for finding in findings]


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


@dataclass(frozen=True)
class Case:
    """One defect: its code, the overlays (the marks in them or in the base), and what the hint offers."""

    name: str
    code: str
    overlays: tuple[str, ...]
    near: str = ""
    related: str = ""
    """The part of the base before which `«` stands."""
    base: str = BASE

    def marked_base(self) -> str:
        assert not self.related or self.base.count(self.related) >= 1, self.related
        return self.base.replace(self.related, f"«{self.related}", 1) if self.related else self.base


def case(name: str, code: str, *overlays: str, near: str = "", related: str = "", base: str = BASE) -> Case:
    return Case(name, code, overlays, near, related, base)


DEFECTS = (
    case("override", "AL601", "override: { ‹twoo: { description: x } }\n", near="two"),
    case("override, nothing near", "AL601", "override: { ‹zzzzzzzz: { description: x } }\n"),
    case("override, other case", "AL601", "override: { ‹One: { description: x } }\n", near="one"),
    case("override, many fields", "AL601", "override: { ‹on: { description: x, locality: cloud, $unset: [source] } }\n", near="one"),
    case("remove", "AL601", "remove:\n  - two\n  - ‹onee\n", near="one"),
    case("expect", "AL601", "expect: { ‹twoo: { locality: cloud } }\n", near="two"),
    case("acknowledge", "AL601", "acknowledge: { ‹twoo: why }\n", near="two"),
    case("override what was removed", "AL601", "remove: [«one]\n", "override: { ‹one: { description: x } }\n"),
    case("remove what was removed", "AL601", "remove: [«one]\n", "remove: [‹one]\n"),
    case("expect what was removed", "AL601", "remove: [«one]\n", "expect: { ‹one: { locality: local } }\n"),
    case("override what a later layer adds", "AL601", "override: { ‹new: { description: x } }\n", added("new")),
    case("add", "AL602", added("‹two"), related="two\n"),
    case("add what was added", "AL602", added("«new"), added("‹new")),
    case("unset", "AL603", "override: { two: { $unset: [‹latencyP95Ms] } }\n"),
    case("unset below nothing", "AL603", "override: { two: { $unset: [‹providerConfig.baseUrl] } }\n"),
    case("unset a knob", "AL603", "override: { one: { $unset: [‹providerConfig.extra.nun] } }\n", near="providerConfig.extra.num"),
    case("unset a header", "AL603", "override: { one: { $unset: [‹providerConfig.headers.X.z] } }\n", near="providerConfig.headers.X.y"),
    case("unset twice in two layers", "AL603", "override: { one: { $unset: [description] } }\n", "override: { one: { $unset: [‹description] } }\n"),
    case("remove a tag", "AL603", "override: { one: { provides: { $remove: [‹visions] } } }\n", near="vision", related="[streaming, vision]"),
    case("remove a tier", "AL603", "override: { two: { privacyAllowed: { $remove: [‹internal] } } }\n", related="[public]"),
    case("remove a word", "AL603", "vocabulary: { capabilities: { $remove: [‹x] } }\n"),
    case("remove a network", "AL603", "routing: { localNetworks: { $remove: [‹h.lan] } }\n"),
    case("remove a locality", "AL603", "routing: { sensitiveLocalities: { $remove: [‹cloud] } }\n"),
    case("remove a knob's item", "AL603", "override: { one: { providerConfig: { extra: { items: { $remove: [‹7] } } } } }\n", related="[1]"),
    case("remove true where 1 is", "AL603", "override: { one: { providerConfig: { extra: { items: { $remove: [‹true] } } } } }\n", related="[1]"),
    case("add to no list", "AL603", "override: { one: { providerConfig: { extra: { new: ‹{ $add: [7] } } } } }\n"),
    case("add to a number", "AL604", "override: { one: { providerConfig: { extra: { num: ‹{ $add: [7] } } } } }\n", related="1, text"),
    case("number to null", "AL604", "override: { one: { providerConfig: { extra: { num: ‹null } } } }\n", related="1, text"),
    case("number to truth", "AL604", "override: { one: { providerConfig: { extra: { num: ‹true } } } }\n", related="1, text"),
    case("number to text", "AL604", "override: { one: { providerConfig: { extra: { num: ‹'1' } } } }\n", related="1, text"),
    case("text to number", "AL604", "override: { one: { providerConfig: { extra: { text: ‹1 } } } }\n", related="t, flag"),
    case("truth to number", "AL604", "override: { one: { providerConfig: { extra: { flag: ‹1 } } } }\n", related="true, items"),
    case("list to number", "AL604", "override: { one: { providerConfig: { extra: { items: ‹1 } } } }\n", related="[1]"),
    case("list to map", "AL604", "override: { one: { providerConfig: { extra: { items: ‹{ a: 1 } } } } }\n", related="[1]"),
    case("map to list", "AL604", "override: { one: { providerConfig: { extra: { deep: ‹[1] } } } }\n", related="{ a: 1, b.c"),
    case("map to text", "AL604", "override: { one: { providerConfig: { extra: { deep: ‹x } } } }\n", related="{ a: 1, b.c"),
    case("map to null", "AL604", "override: { one: { providerConfig: { extra: { deep: ‹null } } } }\n", related="{ a: 1, b.c"),
    case("inside a map", "AL604", "override: { one: { providerConfig: { extra: { deep: { b.c: ‹x } } } } }\n", related="2 }, none"),
    case("type of an earlier layer", "AL604", "override: { one: { providerConfig: { extra: { new: «1 } } } }\n", "override: { one: { providerConfig: { extra: { new: ‹x } } } }\n"),
    case("expect another number", "AL605", "expect: { one: { effectiveContextTokens: ‹99 } }\n", related="100"),
    case("expect another text", "AL605", "expect: { one: { description: ‹second } }\n", related="first"),
    case("expect nothing", "AL605", "expect: { one: { description: ‹null } }\n", related="first"),
    case("expect something", "AL605", "expect: { two: { description: ‹x } }\n"),
    case("expect below nothing", "AL605", "expect: { two: { providerConfig: { baseUrl: ‹http://localhost:1 } } }\n"),
    case("expect another list", "AL605", "expect: { one: { provides: ‹[streaming] } }\n", related="[streaming, vision]"),
    case("expect truth for a number", "AL605", "expect: { one: { providerConfig: { extra: { num: ‹true } } } }\n", related="1, text"),
    case("expect a header", "AL605", "expect: { one: { providerConfig: { headers: { X.y: ‹w } } } }\n", related="z }"),
    case("expect what an earlier layer changed", "AL605", "override: { one: { description: «x } }\n", "expect: { one: { description: ‹first } }\n"),
    case("set and unset", "AL607", "override: { one: { description: «x, $unset: [‹description] } }\n"),
    case("unset above what is set", "AL607", "override: { one: { providerConfig: { extra: «{ num: 2 } }, $unset: [‹providerConfig.extra] } }\n"),
    case("unset below what is unset", "AL607", "override: { one: { $unset: [«providerConfig, ‹providerConfig.extra] } }\n"),
    case("added and removed", "AL607", "override: { one: { provides: { $add: [«vision], $remove: [‹vision] } } }\n"),
    case("override and remove", "AL607", "override: { one: «{ description: x } }\nremove: [‹one]\n"),
    case("override and add", "AL607", "override: { new: «{ description: x } }\n" + added("‹new")),
    case("remove and add", "AL607", added("«two") + "remove: [‹two]\n"),
    case("set again", "AL608", "override: { one: { description: ‹first } }\n", related="first"),
    case("set again in another spelling", "AL608", "override: { one: { latencyP95Ms: ‹10.0 } }\n", related="10\n"),
    case("a cost again", "AL608", "override: { one: { cost: ‹{ usdPerMtokOut: 2.0, usdPerMtokIn: 1 } } }\n", related="{ usdPerMtokIn"),
    case("a list again", "AL608", "override: { one: { provides: ‹[streaming, vision] } }\n", related="[streaming, vision]"),
    case("add a tag again", "AL608", "override: { one: { provides: { $add: [‹vision] } } }\n", related="[streaming, vision]"),
    case("an empty entry", "AL608", "override: { ‹one: {} }\n"),
    case("default localities again", "AL608", "routing: { sensitiveLocalities: { $add: [‹local] } }\n"),
    case("what an earlier layer set", "AL608", "override: { one: { description: «x } }\n", "override: { one: { description: ‹x } }\n"),
    case("an empty map", "AL608", "override: { one: { providerConfig: ‹{} } }\n", related="baseUrl: http"),
    case("acknowledge of nothing", "AL608", "acknowledge: { ‹one: why }\n"),
    case("set twice", "AL609", "override: { one: { description: ‹x } }\n", "override: { one: { description: «y } }\n"),
    case("set, then unset", "AL609", "override: { one: { description: ‹x } }\n", "override: { one: { $unset: [«description] } }\n"),
    case("set below what is unset", "AL609", "override: { one: { providerConfig: { extra: { num: ‹2 } } } }\n", "override: { one: { $unset: [«providerConfig.extra] } }\n"),
    case("set, then removed", "AL609", "override: { one: { description: ‹x } }\n", "remove: [«one]\n"),
    case("a tag added, then a whole list", "AL609", "override: { one: { provides: { $add: ‹[json-mode] } } }\n", "override: { one: { provides: «[streaming] } }\n"),
    case("a tag added, then removed", "AL609", "override: { one: { provides: { $add: ‹[json-mode] } } }\n", "override: { one: { provides: { $remove: «[json-mode] } } }\n"),
    case("a word twice", "AL609", "vocabulary: { capabilities: ‹[x] }\n", "vocabulary: { capabilities: «[y] }\n"),
    case("a cost twice", "AL609", "override: { one: { cost: ‹{ usdPerMtokIn: 3, usdPerMtokOut: 4 } } }\n", "override: { one: { cost: «{ usdPerMtokIn: 5, usdPerMtokOut: 6 } } }\n"),
)  # fmt: skip


@pytest.mark.parametrize("each", DEFECTS, ids=[f"{each.code} {each.name}" for each in DEFECTS])
def test_a_defect_is_told_once_at_its_place_with_the_place_it_speaks_of(tmp_path: Path, each: Case) -> None:
    base = each.marked_base()
    found = findings_of(tmp_path, base, *each.overlays)
    files = write(tmp_path, base, each.overlays)
    assert seen(found) == [(each.code, place) for place in marked(files, "‹")], [str(finding) for finding in found]
    (finding,) = found
    assert finding.severity == {"AL608": "warning", "AL609": "info"}.get(each.code, "error")
    assert finding.message
    assert finding.pointer
    if marked(files, "«"):
        related = [place_of(other.path, other.span) for other in finding.related]
        assert marked(files, "«")[0] in related, related
    told = f"{finding.message} {finding.hint}"
    assert (f"'{each.near}'" in told) if each.near else ("did you mean" not in told), told


FINE = {
    "nothing": "",
    "empty sections": "override: {}\nadd: []\nremove: []\nexpect: {}\nlock: []\nacknowledge: {}\n",
    "expect": "expect: { one: { effectiveContextTokens: 100, latencyP95Ms: 10.0, providerConfig: { headers: { X.y: z } } } }\n",
    "expect nothing": "expect: { two: { description: null, providerConfig: null } }\n",
    "expect nothing below nothing": "expect: { two: { providerConfig: { baseUrl: null } } }\n",
    "expect a list in another order": "expect: { one: { provides: [vision, streaming] } }\n",
    "expect and remove": "expect: { one: { description: first } }\nremove: [one]\n",
    "expect and change": "expect: { one: { description: first } }\noverride: { one: { description: x } }\n",
    "int to float": "override: { one: { providerConfig: { extra: { num: 1.5 } } } }\n",
    "a value where null was": "override: { one: { providerConfig: { extra: { none: [1] } } } }\n",
    "new knobs": "override: { two: { providerConfig: { extra: { a: { b: [] } } } } }\n",
    "unset beside what is set": "override: { one: { providerConfig: { headers: { a: b } }, $unset: [providerConfig.headers.X.y] } }\n",
    "add and remove others": "override: { one: { provides: { $add: [json-mode], $remove: [vision] } } }\n",
    "add to a list of knobs": "override: { one: { providerConfig: { extra: { items: { $add: [2] } } } } }\n",
    "add true to a list that holds 1": "override: { one: { providerConfig: { extra: { items: { $add: [true] } } } } }\n",
    "a lock": "lock: [cost, providerConfig.baseUrl, routing.sensitiveLocalities]\n",
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_what_is_in_order_is_told_nothing(tmp_path: Path, text: str) -> None:
    assert [str(finding) for finding in findings_of(tmp_path, BASE, text)] == []


def test_layers_that_touch_other_things_shadow_nothing(tmp_path: Path) -> None:
    one = "override: { one: { provides: { $add: [json-mode] }, providerConfig: { headers: { a: b } } } }\n"
    two = "override: { one: { provides: { $add: [tool-use] }, providerConfig: { headers: { c: d } } } }\n"
    assert codes(findings_of(tmp_path, BASE, one, two)) == []


def test_setting_in_a_map_what_an_added_entry_does_not_have_shadows_nothing(tmp_path: Path) -> None:
    entry = added("new") + "    providerConfig: { extra: { a: 1 } }\n"
    later = "override: { new: { providerConfig: { headers: { a: b } } } }\n"
    assert [str(finding) for finding in findings_of(tmp_path, BASE, entry, later)] == []


def test_an_added_entry_overridden_later_is_never_told_to_lose_a_required_field(tmp_path: Path) -> None:
    """'Take it out' would be wrong: an entry that is added must be whole."""
    later = "override: { new: { locality: cloud, cost: { usdPerMtokIn: 3, usdPerMtokOut: 4 } } }\n"
    found = findings_of(tmp_path, BASE, added("new"), later)
    assert [str(finding) for finding in found if "take it out" in finding.hint] == []


def test_three_layers_that_set_one_field_shadow_two(tmp_path: Path) -> None:
    layers = [f"override: {{ one: {{ description: {text} }} }}\n" for text in "xyz"]
    found = findings_of(tmp_path, BASE, *layers)
    assert seen(found) == [("AL609", ("1.yaml", 3, 33)), ("AL609", ("2.yaml", 3, 33))]


STRICT: dict[str, tuple[str, str]] = {
    "a section misspelt": ("AL103", "‹overide: { one: { description: x } }\n"),
    "a section of catalogs": ("AL103", "‹models: []\n"),
    "an operation as a section": ("AL103", "‹$unset: [a]\n"),
    "a field misspelt": ("AL103", "override: { one: { ‹descripton: x } }\n"),
    "a nested field misspelt": ("AL103", "override: { one: { providerConfig: { ‹baseURL: x } } }\n"),
    "a price misspelt": ("AL103", "override: { one: { cost: { usdPerMtokIn: 1, usdPerMtokOut: 1, ‹usdPerMtokCache: 1 } } }\n"),
    "a field of expect misspelt": ("AL103", "expect: { one: { ‹localty: local } }\n"),
    "a section of routing misspelt": ("AL103", "routing: { ‹sensitiveLocality: [local] }\n"),
    "a section of the vocabulary misspelt": ("AL103", "vocabulary: { ‹classes: [x] }\n"),
    "an operation misspelt": ("AL103", "override: { one: { provides: { ‹$ad: [x] } } }\n"),
    "an unknown operation": ("AL103", "override: { one: { ‹$delete: [description] } }\n"),
    "an operation on an entry": ("AL103", "override: { one: { ‹$add: [x] } }\n"),
    "unset in a map": ("AL103", "override: { one: { providerConfig: { ‹$unset: [baseUrl] } } }\n"),
    "unset in a list": ("AL103", "override: { one: { provides: { ‹$unset: [vision] } } }\n"),
    "an operation in expect": ("AL105", "expect: { one: { provides: ‹{ $add: [x] } } }\n"),
    "unset in expect": ("AL103", "expect: { one: { ‹$unset: [description] } }\n"),
    "an operation in an added entry": ("AL105", added("new").replace("[streaming]", "‹{ $add: [x] }")),
    "unset in an added entry": ("AL103", added("new") + "    ‹$unset: [description]\n"),
    "an operation on a scalar": ("AL105", "override: { one: { description: ‹{ $add: [x] } } }\n"),
    "half a cost": ("AL104", "override: { one: { cost: ‹{ usdPerMtokIn: 1 } } }\n"),
    "an id overridden": ("AL103", "override: { one: { ‹id: two } }\n"),
    "the same id overridden": ("AL103", "override: { one: { ‹id: one } }\n"),
    "no entry": ("AL105", "override: { one: ‹null }\n"),
    "a list for an entry": ("AL105", "override: { one: ‹[] }\n"),
    "a null field": ("AL105", "override: { one: { description: ‹null } }\n"),
    "a null map": ("AL105", "override: { one: { providerConfig: ‹null } }\n"),
    "a null header": ("AL105", "override: { one: { providerConfig: { headers: { X.y: ‹null } } } }\n"),
    "a null list": ("AL105", "override: { one: { provides: ‹null } }\n"),
    "a null price": ("AL105", "override: { one: { cost: { usdPerMtokIn: 1, usdPerMtokOut: 1, usdPerMtokCacheRead: ‹null } } }\n"),
    "a null to unset": ("AL105", "override: { one: { $unset: ‹null } }\n"),
    "a null section": ("AL105", "override: ‹null\n"),
    "a null setting": ("AL105", "routing: { sensitiveLocalities: ‹null }\n"),
    "a list for the overrides": ("AL105", "override: ‹[]\n"),
    "a map for the added": ("AL105", "add: ‹{}\n"),
    "a map to remove": ("AL105", "remove: ‹{ one: x }\n"),
    "a text to remove": ("AL105", "remove: ‹one\n"),
    "a number to remove": ("AL105", "remove: [‹7]\n"),
    "an entry to remove": ("AL105", "remove: [‹{ id: one }]\n"),
    "a null to remove": ("AL105", "remove: [‹null]\n"),
    "a text to unset": ("AL105", "override: { one: { $unset: ‹description } }\n"),
    "a number to unset": ("AL105", "override: { one: { $unset: [‹1] } }\n"),
    "nothing to unset": ("AL106", "override: { one: { $unset: [‹''] } }\n"),
    "a text to add": ("AL105", "override: { one: { provides: { $add: ‹vision } } }\n"),
    "a number to add": ("AL105", "override: { one: { provides: { $add: [‹3] } } }\n"),
    "no tier to add": ("AL106", "override: { one: { privacyAllowed: { $add: [‹secret] } } }\n"),
    "no tier to remove": ("AL106", "override: { one: { privacyAllowed: { $remove: [‹publik] } } }\n"),
    "no locality": ("AL106", "routing: { sensitiveLocalities: { $add: [‹moon] } }\n"),
    "a list left empty": ("AL106", "override: { one: { provides: ‹[] } }\n"),
    "an empty change of a list": ("AL106", "override: { one: { provides: ‹{} } }\n"),
    "a reason that is none": ("AL106", "override: { one: { description: x } }\nacknowledge: { one: ‹'' }\n"),
    "a reason that is no text": ("AL105", "acknowledge: { one: ‹true }\n"),
    "ids for reasons": ("AL105", "acknowledge: ‹[one]\n"),
    "a lock on nothing": ("AL106", "lock: [‹privacyAlowed]\n"),
    "a lock on the id": ("AL106", "lock: [‹id]\n"),
    "a required field unset": ("AL106", "override: { one: { $unset: [‹locality] } }\n"),
    "the id unset": ("AL106", "override: { one: { $unset: [‹id] } }\n"),
    "a required price unset": ("AL106", "override: { one: { $unset: [‹cost.usdPerMtokIn] } }\n"),
    "the cost unset": ("AL106", "override: { one: { $unset: [‹cost] } }\n"),
    "an unknown path unset": ("AL103", "override: { one: { $unset: [‹descripton] } }\n"),
    "an unknown nested path unset": ("AL103", "override: { one: { $unset: [‹providerConfig.baseURL] } }\n"),
    "a list index unset": ("AL106", "override: { one: { $unset: [‹provides.0] } }\n"),
    "an operation among knobs": ("AL103", "override: { one: { providerConfig: { extra: { ‹$unset: [num] } } } }\n"),
    "an operation among the knobs of an added entry": ("AL103", added("new") + "    providerConfig: { extra: { a: { ‹$add: [2] } } }\n"),
    "an operation beside a knob": ("AL607", "override: { one: { providerConfig: { extra: { items: { ‹$add: [2], a: 1 } } } } }\n"),
    "an operation on headers": ("AL105", "override: { one: { providerConfig: { headers: { $add: ‹[x] } } } }\n"),
    "nothing to add": ("AL106", "override: { one: { provides: { $add: ‹[] } } }\n"),
    "removed twice": ("AL107", "remove: [one, ‹one]\n"),
    "unset twice": ("AL607", "override: { one: { $unset: [description, ‹description] } }\n"),
    "added twice": ("AL107", added("new") + added("‹new").removeprefix("add:\n")),
    "overridden twice": ("AL102", "override:\n  one: { description: x }\n  ‹one: { description: y }\n"),
    "a section twice": ("AL102", "remove: [one]\n‹remove: [two]\n"),
    "half an entry": ("AL104", "add: [‹{ id: new, provider: p, providerKind: mlx, locality: local, capabilityClass: fast-draft, provides: [x], privacyAllowed: [public], effectiveContextTokens: 1 }]\n"),
    "a wrong value": ("AL106", "override: { one: { locality: ‹moon } }\n"),
    "a wrong type": ("AL105", "override: { one: { effectiveContextTokens: ‹many } }\n"),
    "a negative price": ("AL106", "override: { one: { cost: { usdPerMtokIn: ‹-1, usdPerMtokOut: 1 } } }\n"),
    "a merge key": ("AL103", "override: { one: { ‹<<: { description: x } } }\n"),
    "a tag on an entry": ("AL112", "override: { one: ‹!replace { description: x } }\n"),
    "a tag on a value": ("AL112", "override: { one: { description: ‹!unset x } }\n"),
    "a tag on a list": ("AL112", "override: { one: { provides: ‹!append [x] } }\n"),
    "an overlay of another kind": ("AL109", "apiVersion: aldo/models.v1\nkind: ‹RoutingPolicy\n"),
    "a kind misspelt": ("AL109", "apiVersion: aldo/models.v1\nkind: ‹ModelCatalogOverlays\n"),
    "another version": ("AL109", "apiVersion: ‹aldo/models.v2\nkind: ModelCatalogOverlay\n"),
    "a second document": ("AL110", "override: {}\n‹---\noverride: {}\n"),
    "a text": ("AL109", "\ufffd‹overlay\n"),
    "a number": ("AL109", "\ufffd‹3\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRICT)
def test_a_layer_that_is_wrong_alone_is_told_once_at_its_place(tmp_path: Path, name: str) -> None:
    code, text = STRICT[name]
    found = findings_of(tmp_path, BASE, text)
    (place,) = marked(write(tmp_path, BASE, (text,)), "‹")
    assert seen(found) == [(code, place)], [str(finding) for finding in found]
    assert found[0].severity == "error"


@pytest.mark.parametrize("name", [name for name, (code, _) in STRICT.items() if code in ("AL103", "AL105", "AL106")])
def test_what_is_wrong_with_one_layer_hides_nothing_of_the_next(tmp_path: Path, name: str) -> None:
    _, text = STRICT[name]
    found = findings_of(tmp_path, BASE, text, "override: { one: { locality: moon } }\nremove: [7]\n")
    assert sorted(
        (finding.code, Path(finding.path).name) for finding in found if Path(finding.path).name == "2.yaml"
    ) == [
        ("AL105", "2.yaml"),
        ("AL106", "2.yaml"),
    ]
    assert len(found) == 3, [str(finding) for finding in found]


NEAR = {
    "overide: {}\n": "override",
    "override: { one: { descripton: x } }\n": "description",
    "override: { one: { providerConfig: { baseURL: x } } }\n": "baseUrl",
    "override: { one: { provides: { $ad: [x] } } }\n": "$add",
    "override: { one: { $unst: [description] } }\n": "$unset",
    "override: { one: { $unset: [descripton] } }\n": "description",
    "override: { one: { $unset: [providerConfig.baseURL] } }\n": "providerConfig.baseUrl",
    "lock: [privacyAlowed]\n": "privacyAllowed",
    "override: { one: { locality: locl } }\n": "local",
}


@pytest.mark.parametrize("text", NEAR)
def test_what_is_misspelt_in_a_layer_is_answered_with_the_near_name(tmp_path: Path, text: str) -> None:
    (finding,) = findings_of(tmp_path, BASE, text)
    assert NEAR[text] in finding.hint + finding.message.replace(text, ""), str(finding)


def test_a_catalog_given_as_an_overlay_is_told_once(tmp_path: Path) -> None:
    (finding,) = findings_of(tmp_path, BASE, BASE)
    assert (finding.code, Path(finding.path).name, finding.unreadable) == ("AL109", "1.yaml", True)


def test_a_bare_list_given_as_an_overlay_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "1.yaml").write_text("\n".join(line[2:] for line in BASE.splitlines()[3:]) + "\n", encoding="utf-8")
    (finding,) = read_layers(str(tmp_path / "base.yaml"), [str(tmp_path / "1.yaml")]).findings
    assert (finding.code, Path(finding.path).name) == ("AL109", "1.yaml")


def test_an_overlay_given_as_a_catalog_is_told_once(tmp_path: Path) -> None:
    (finding,) = findings_of(tmp_path, HEAD + "override: { one: { description: x } }\n")
    assert (finding.code, place_of(finding.path, finding.span)) == ("AL109", ("base.yaml", 2, 7))


def test_the_base_given_as_its_own_overlay_and_layers_swapped_are_both_told(tmp_path: Path) -> None:
    found = findings_of(tmp_path, HEAD + "remove: [one]\n", BASE)
    assert [(finding.code, Path(finding.path).name) for finding in found] == [
        ("AL109", "base.yaml"),
        ("AL109", "1.yaml"),
    ]


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "null\n", "~"])
def test_an_empty_overlay_file_is_an_error_of_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "1.yaml").write_text(text, encoding="utf-8")
    layers = read_layers(str(tmp_path / "base.yaml"), [str(tmp_path / "1.yaml")])
    assert [Path(finding.path).name for finding in layers.findings] == ["1.yaml"]
    assert layers.findings[0].code in ("AL108", "AL109")
    assert layers.file is None


def test_an_overlay_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    with pytest.raises(AldoError) as raised:
        load_catalog(tmp_path / "base.yaml", overlays=[tmp_path / "gone.yaml"])
    assert "gone.yaml" in str(raised.value)


def test_an_overlay_without_its_header_is_told_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "1.yaml").write_text("override: { one: { description: x } }\n", encoding="utf-8")
    found = read_layers(str(tmp_path / "base.yaml"), [str(tmp_path / "1.yaml")]).findings
    assert found
    assert {Path(finding.path).name for finding in found} == {"1.yaml"}
    assert {finding.code for finding in found} <= {"AL104", "AL109"}
    assert any("ModelCatalogOverlay" in f"{finding.message}{finding.hint}" for finding in found)


@pytest.mark.parametrize(
    "text", ["override: { one: \n", "override: {\n  one: { description: 'x }\n", "\tremove: [one]\n", "remove: [one\n"]
)
def test_a_syntax_error_in_an_overlay_is_told_and_hides_no_other_layer(tmp_path: Path, text: str) -> None:
    found = findings_of(tmp_path, BASE, text, "override: { one: { locality: moon } }\n")
    assert [(finding.code, Path(finding.path).name) for finding in found] == [("AL101", "1.yaml"), ("AL106", "2.yaml")]
    assert found[0].unreadable


def test_an_unusable_layer_leaves_no_merged_file(tmp_path: Path) -> None:
    write(tmp_path, BASE, ("remove: [one\n",))
    assert read_layers(str(tmp_path / "base.yaml"), [str(tmp_path / "1.yaml")]).file is None


def test_an_anchor_in_an_overlay_is_plain_yaml(tmp_path: Path) -> None:
    layer = "override:\n  one: { provides: &tags [json-mode] }\n  two: { provides: *tags }\n"
    assert codes(findings_of(tmp_path, BASE, layer)) == []


# Broken operations are left out, and what is left is merged.


def test_two_defects_in_two_layers_are_both_told(tmp_path: Path) -> None:
    found = findings_of(
        tmp_path, BASE, "override: { tow: { description: x } }\n", "override: { one: { $unset: [source] } }\n"
    )
    assert seen(found) == [("AL601", ("1.yaml", 3, 13)), ("AL603", ("2.yaml", 3, 29))]


def test_many_defects_of_one_layer_are_all_told(tmp_path: Path) -> None:
    layer = (
        "override:\n"
        "  tow: { description: x }\n"
        "  one: { provides: { $remove: [audio-in] }, $unset: [source], providerConfig: { extra: { num: x } } }\n"
        "remove: [three]\n"
        "expect: { one: { locality: cloud, description: gone } }\n" + added("two")
    )
    found = findings_of(tmp_path, BASE, layer)
    assert sorted(codes(found)) == ["AL601", "AL601", "AL602", "AL603", "AL603", "AL604", "AL605", "AL605"]
    assert [finding.span for finding in found] == sorted(finding.span for finding in found if finding.span)


def test_a_broken_operation_is_left_out_and_the_rest_is_merged(tmp_path: Path) -> None:
    layer = "override:\n  tow: { description: x }\n  one: { description: y, $unset: [source] }\nremove: [two, nine]\n"
    write(tmp_path, BASE, (layer,))
    layers = read_layers(str(tmp_path / "base.yaml"), [str(tmp_path / "1.yaml")])
    assert codes(list(layers.findings)) == ["AL601", "AL603", "AL601"]
    assert layers.file is not None
    assert [(entry["id"], entry["description"]) for entry in layers.file.document.value["models"]] == [("one", "y")]


def test_a_stale_expect_leaves_out_nothing_and_is_told_beside_a_later_one(tmp_path: Path) -> None:
    layer = "expect: { one: { description: old } }\noverride: { one: { description: new } }\n"
    found = findings_of(tmp_path, BASE, layer, layer)
    assert codes([finding for finding in found if finding.severity == "error"]) == ["AL605", "AL605"]
    assert [[Path(other.path).name for other in finding.related] for finding in found[:1]] == [["base.yaml"]]


def test_a_defect_of_the_base_is_told_beside_those_of_the_layers(tmp_path: Path) -> None:
    base = BASE.replace("locality: on-prem", "locality: moon")
    found = findings_of(tmp_path, base, "override: { tow: { description: x } }\n")
    assert seen(found) == [("AL106", ("base.yaml", 22, 15)), ("AL601", ("1.yaml", 3, 13))]


def test_every_order_of_two_broken_layers_tells_both(tmp_path: Path) -> None:
    broken = [
        each
        for each in DEFECTS
        if len(each.overlays) == 1
        and each.base is BASE
        and each.code < "AL607"
        and "null" not in each.name
        and "true" not in each.name
    ]
    for one, other in zip(broken, broken[7:], strict=False):
        for pair in ((one, other), (other, one)):
            found = findings_of(tmp_path, BASE, *(each.overlays[0] for each in pair))
            told = {(Path(finding.path).name, finding.code) for finding in found}
            assert {("1.yaml", pair[0].code), ("2.yaml", pair[1].code)} <= told, [each.name for each in pair]


def test_a_contradiction_in_one_layer_hides_nothing_of_another(tmp_path: Path) -> None:
    broken = "override: { one: { description: x, $unset: [description] } }\n"
    stale = "expect: { one: { description: second } }\nremove: [tow]\n"
    for layers in ((broken, stale), (stale, broken)):
        assert sorted(codes(findings_of(tmp_path, BASE, *layers))) == ["AL601", "AL605", "AL607"]


def test_a_wrong_value_in_one_layer_hides_nothing_of_another(tmp_path: Path) -> None:
    wrong = "override: { one: { locality: moon } }\n"
    stale = "expect: { one: { description: second } }\nremove: [tow]\n"
    for layers in ((wrong, stale), (stale, wrong)):
        assert sorted(codes(findings_of(tmp_path, BASE, *layers))) == ["AL106", "AL601", "AL605"]


# Locks.

WIDENED: dict[str, tuple[str, tuple[str, ...]]] = {
    "a tier added": (LOCKED, ("override: { one: { privacyAllowed: ‹{ $add: [sensitive] } } }\n",)),
    "a tier in a whole list": (LOCKED, ("override: { one: { privacyAllowed: ‹[public, internal, sensitive] } }\n",)),
    "another tier": (LOCKED, ("override: { two: { privacyAllowed: ‹[internal] } }\n",)),
    "a tier removed and one added": (LOCKED, ("override: { one: { privacyAllowed: ‹{ $remove: [public], $add: [sensitive] } } }\n",)),
    "a locality": (LOCKED, ("override: { one: { locality: ‹cloud } }\n",)),
    "a locality nearer": (LOCKED, ("override: { two: { locality: ‹local } }\n",)),
    "narrowed, then widened again": (LOCKED, ("override: { one: { privacyAllowed: [public] } }\n", "override: { one: { privacyAllowed: ‹[public, internal] } }\n")),
    "acknowledged in the layer before": (LOCKED, ("acknowledge: { one: why }\n", "override: { one: { locality: ‹cloud } }\n")),
    "acknowledged in the layer after": (LOCKED, ("override: { one: { locality: ‹cloud } }\n", "acknowledge: { one: why }\n")),
    "acknowledged for another": (LOCKED, ("override: { one: { locality: ‹cloud } }\nacknowledge: { two: why }\n",)),
    "acknowledged once, widened twice": (LOCKED, ("override: { one: { locality: cloud } }\nacknowledge: { one: why }\n", "override: { one: { locality: ‹on-prem } }\n")),
    "a lock of an overlay": (BASE, ("lock: [cost]\n", "override: { one: { cost: ‹{ usdPerMtokIn: 0, usdPerMtokOut: 0 } } }\n")),
    "a lock of an overlay beside the base's": (LOCKED, ("lock: [cost]\n", "override: { one: { locality: ‹cloud } }\n")),
    "a lock emptied": (LOCKED, ("lock: []\n", "override: { one: { locality: ‹cloud } }\n")),
    "a base URL": (BASE.replace("models:", "lock: [providerConfig.baseUrl]\nmodels:"), ("override: { one: { providerConfig: { baseUrl: ‹http://evil } } }\n",)),
    "a base URL where none was": (BASE.replace("models:", "lock: [providerConfig.baseUrl]\nmodels:"), ("override: { two: { providerConfig: { baseUrl: ‹http://evil } } }\n",)),
    "a map around it where none was": (BASE.replace("models:", "lock: [providerConfig.baseUrl]\nmodels:"), ("override: { two: { providerConfig: { model: x, baseUrl: ‹http://evil } } }\n",)),
    "a base URL below a locked map": (BASE.replace("models:", "lock: [providerConfig]\nmodels:"), ("override: { one: { providerConfig: { baseUrl: ‹http://evil } } }\n",)),
    "a header below a locked map": (BASE.replace("models:", "lock: [providerConfig.headers]\nmodels:"), ("override: { one: { providerConfig: { headers: { a: ‹b } } } }\n",)),
    "a base URL unset": (BASE.replace("models:", "lock: [providerConfig.baseUrl]\nmodels:"), ("override: { one: { $unset: [‹providerConfig.baseUrl] } }\n",)),
    "the map around it unset": (BASE.replace("models:", "lock: [providerConfig.baseUrl]\nmodels:"), ("override: { one: { $unset: [‹providerConfig] } }\n",)),
    "a context below the served one": (BASE.replace("models:", "lock: [servedContextTokens]\nmodels:"), ("override: { one: { servedContextTokens: ‹50 } }\n",)),
    "where sensitive requests go": (BASE.replace("models:", "lock: [routing.sensitiveLocalities]\nmodels:"), ("routing: { sensitiveLocalities: ‹[local, cloud] }\n",)),
    "where sensitive requests go, added": (BASE.replace("models:", "lock: [routing.sensitiveLocalities]\nmodels:"), ("routing: { sensitiveLocalities: ‹{ $add: [cloud] } }\n",)),
    "where sensitive requests go, swapped": (BASE.replace("models:", "lock: [routing.sensitiveLocalities]\nmodels:"), ("routing: { sensitiveLocalities: ‹{ $remove: [local], $add: [cloud] } }\n",)),
    "networks": (BASE.replace("models:", "lock: [routing.localNetworks]\nmodels:"), ("routing: { localNetworks: ‹[evil.example] }\n",)),
    "enabled": (BASE.replace("models:", "lock: [enabled]\nmodels:").replace("description: first", "enabled: false"), ("override: { one: { enabled: ‹true } }\n",)),
    "a bare list locked by an overlay": ("\n".join(line[2:] for line in BASE.splitlines()[3:]) + "\n", ("lock: [locality]\n", "override: { one: { locality: ‹cloud } }\n")),
}  # fmt: skip


@pytest.mark.parametrize("name", WIDENED)
def test_a_locked_field_is_not_widened_without_a_reason(tmp_path: Path, name: str) -> None:
    base, overlays = WIDENED[name]
    found = [each for each in findings_of(tmp_path, base, *overlays) if each.severity == "error"]
    (place,) = marked(write(tmp_path, base, overlays), "‹")
    assert [each.code for each in found] == ["AL606"], [str(each) for each in found]
    assert seen(found) == [("AL606", place)]
    locks = [place_of(other.path, other.span) for other in found[0].related]
    assert any(
        spot and "lock" in (tmp_path / spot[0]).read_text(encoding="utf-8").splitlines()[spot[1] - 1] for spot in locks
    )


@pytest.mark.parametrize("name", [name for name in WIDENED if "routing" not in str(WIDENED[name])])
def test_a_locked_field_is_widened_with_a_reason_in_the_same_layer(tmp_path: Path, name: str) -> None:
    base, texts = WIDENED[name]
    overlays = [text.partition("acknowledge:")[0] for text in texts if not text.startswith("acknowledge:")]
    model = "two" if "{ two:" in overlays[-1] else "one"
    overlays = [text + f"acknowledge: {{ {model}: because }}\n" * text.startswith("override") for text in overlays]
    found = [each for each in findings_of(tmp_path, base, *overlays) if each.severity == "error"]
    assert found == []


GOT_AROUND = {
    "removed and added with a tier more": ("remove: [one]\n", added("one", locality="local", tiers="public, internal, sensitive")),
    "removed and added elsewhere": ("remove: [one]\n", added("one", locality="cloud", tiers="public")),
    "with a layer between": ("remove: [one]\n", "vocabulary: { capabilities: [x] }\n", added("one", locality="cloud")),
    "added harmless, then widened": ("remove: [one]\n", added("one", locality="local"), "override: { one: { privacyAllowed: [public, internal, sensitive] } }\n"),
    "removed twice": ("remove: [one]\n", added("one", locality="local"), "remove: [one]\n", added("one", locality="cloud")),
    "an added entry moved": (added("new", locality="local"), "override: { new: { locality: cloud } }\n"),
    "an added entry widened": (added("new", tiers="public"), "override: { new: { privacyAllowed: { $add: [sensitive] } } }\n"),
    "an added entry removed and added": (added("new", tiers="public"), "remove: [new]\n", added("new", tiers="sensitive")),
}  # fmt: skip


@pytest.mark.parametrize("name", GOT_AROUND)
def test_no_detour_gets_around_a_lock(tmp_path: Path, name: str) -> None:
    found = [each for each in findings_of(tmp_path, LOCKED, *GOT_AROUND[name]) if each.severity == "error"]
    assert found
    assert {each.code for each in found} == {"AL606"}
    assert {Path(each.path).name for each in found} == {f"{len(GOT_AROUND[name])}.yaml"}


@pytest.mark.parametrize(
    "path", ["locality", "privacyAllowed", "cost", "provides", "capabilityClass", "effectiveContextTokens"]
)
def test_an_entry_removed_and_added_the_same_widens_nothing(tmp_path: Path, path: str) -> None:
    base = BASE.replace("models:", f"lock: [{path}]\nmodels:")
    same = added("two")
    assert codes(findings_of(tmp_path, base, "remove: [two]\n", same)) in ([], ["AL608"], ["AL609"])


UNWIDENED = {
    "a tier removed": "override: { one: { privacyAllowed: { $remove: [internal] } } }\n",
    "a shorter list": "override: { one: { privacyAllowed: [public] } }\n",
    "the list in another order": "override: { one: { privacyAllowed: [internal, public] } }\n",
    "a tier that is there": "override: { one: { privacyAllowed: { $add: [public] } } }\n",
    "the same locality": "override: { one: { locality: local } }\n",
    "the entry removed": "remove: [one]\n",
    "another field": "override: { one: { description: x } }\n",
    "a new entry": added("new", locality="cloud", tiers="public, internal, sensitive"),
}


@pytest.mark.parametrize("name", UNWIDENED)
def test_what_widens_nothing_needs_no_reason(tmp_path: Path, name: str) -> None:
    found = findings_of(tmp_path, LOCKED, UNWIDENED[name])
    assert [str(each) for each in found if each.severity == "error"] == []


def test_each_widened_field_of_an_entry_is_told(tmp_path: Path) -> None:
    layer = "override:\n  one: { locality: cloud, privacyAllowed: { $add: [sensitive] } }\n  two: { locality: cloud }\n"
    found = findings_of(tmp_path, LOCKED, layer)
    assert seen(found) == [
        ("AL606", ("1.yaml", 4, 20)),
        ("AL606", ("1.yaml", 4, 43)),
        ("AL606", ("1.yaml", 5, 20)),
    ]


def test_a_lock_in_the_same_overlay_is_for_those_after_it(tmp_path: Path) -> None:
    """Who sets a lock may set the value that it locks."""
    layer = "lock: [locality]\noverride: { one: { locality: cloud } }\n"
    assert codes(findings_of(tmp_path, BASE, layer)) == []
    assert codes(findings_of(tmp_path, BASE, layer, "override: { one: { locality: on-prem } }\n"))[0] in (
        "AL606",
        "AL609",
    )


def test_a_refused_widening_is_left_out_of_the_result(tmp_path: Path) -> None:
    write(tmp_path, LOCKED, ("override: { one: { locality: cloud, description: x } }\n",))
    layers = read_layers(str(tmp_path / "base.yaml"), [str(tmp_path / "1.yaml")])
    assert layers.file is not None
    entry = layers.file.document.value["models"][0]
    assert (entry["locality"], entry["description"]) == ("local", "x")


# The result against the whole schema.

RESULTS: dict[str, tuple[str, ...]] = {
    "a list removed empty": ("override: { one: { provides: { $remove: ‹[streaming, vision] } } }\n",),
    "tiers removed empty": ("override: { two: { privacyAllowed: { $remove: ‹[public] } } }\n",),
    "emptied by the second layer": ("override: { one: { provides: { $remove: [streaming] } } }\n", "override: { one: { provides: { $remove: ‹[vision] } } }\n"),
    "localities removed empty": ("routing: { sensitiveLocalities: { $remove: ‹[local] } }\n",),
    "a deprecation without a date": ("override: { one: { deprecation: ‹{ replacement: two } } }\n",),
    "its date unset": ("override: { one: { deprecation: { date: 2027-01-01, replacement: two } } }\n", "override: { one: { $unset: [‹deprecation.date] } }\n"),
    "all entries removed": ("remove: ‹[one, two]\n",),
    "all entries removed by two layers": ("remove: [one]\n", "remove: ‹[two]\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_that_is_no_catalog_is_told_in_the_layer_that_made_it_so(tmp_path: Path, name: str) -> None:
    overlays = RESULTS[name]
    found = [each for each in findings_of(tmp_path, BASE, *overlays) if each.severity == "error"]
    (place,) = marked(write(tmp_path, BASE, overlays), "‹")
    assert len(found) == 1, [str(each) for each in found]
    spot = place_of(found[0].path, found[0].span)
    assert spot is not None
    assert spot[:2] == place[:2], str(found[0])


def test_a_wrong_result_of_an_added_entry_is_told_where_it_was_made_wrong(tmp_path: Path) -> None:
    found = findings_of(tmp_path, BASE, added("new"), "override: { new: { provides: { $remove: [streaming] } } }\n")
    errors = [each for each in found if each.severity == "error"]
    assert [(each.code, Path(each.path).name) for each in errors] == [("AL106", "2.yaml")]


@pytest.mark.parametrize("mend", ["override: { two: { locality: cloud } }\n", "remove: [two]\n"])
def test_a_defect_of_the_base_stays_one_though_an_overlay_would_mend_it(tmp_path: Path, mend: str) -> None:
    """Each layer is judged alone first."""
    base = BASE.replace("locality: on-prem", "locality: moon")
    found = [each for each in findings_of(tmp_path, base, mend) if each.severity == "error"]
    assert seen(found) == [("AL106", ("base.yaml", 22, 15))]
