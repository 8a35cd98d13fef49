"""What overlays are told: one defect, one finding, at its place and at the place it speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.layers.marked_layers import BASE, added, codes, findings_of, marked, place_of, seen, write
from tests.catalog.layers.single_defects import DEFECTS, Case


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
