"""Layers that are wrong by themselves: a catalog, a list, an empty file, no header, broken syntax, strict values."""

from __future__ import annotations

from pathlib import Path

import pytest

from aldo import AldoError, load_catalog
from aldo.catalog.layers import read_layers
from tests.catalog.layers.marked_layers import BASE, HEAD, added, codes, findings_of, marked, place_of, seen, write

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
