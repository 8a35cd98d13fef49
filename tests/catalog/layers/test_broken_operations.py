"""A broken operation is left out and what is left is merged; no defect hides another."""

from __future__ import annotations

from pathlib import Path

from aldo.catalog.layers import read_layers
from tests.catalog.layers.marked_layers import BASE, added, codes, findings_of, seen, write
from tests.catalog.layers.single_defects import DEFECTS


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
