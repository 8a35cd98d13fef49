"""Locked fields: what widens them, what gets around them, and what needs no reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from aldo.catalog.layers import read_layers
from tests.catalog.layers.marked_layers import BASE, LOCKED, added, codes, findings_of, marked, place_of, seen, write

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
