"""The merged result against the whole schema: what is wrong is told in the layer that made it so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.layers.marked_layers import BASE, added, findings_of, marked, place_of, seen, write

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
