"""Laws of merging: it is what the naive merge says, whatever the style and the order of the files."""

from __future__ import annotations

import json
import random
import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo import CatalogError, load_catalog
from aldo.catalog import read_document
from aldo.catalog.layers import ABSENT, read_layers
from aldo.schema import Catalog
from aldo.schema.decimals import WrittenFloat
from tests.catalog.layers.naive_merge import Stack, merged, same, stacks, yaml_text
from tests.support.entries import entry

LAW = settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
"""Of lists in `extra`: `test_the_digest_of_a_catalog_with_a_list_in_extra_warns_of_nothing` alone speaks of it."""
HEADER = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog"}
EMPTY = "apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay\n"


def errors_of(layers: Any) -> list[str]:
    return [str(finding) for finding in layers.findings if finding.severity == "error"]


def merged_value(base: str, overlays: list[str]) -> Any:
    layers = read_layers(base, overlays)
    assert errors_of(layers) == []
    assert layers.file is not None
    return layers.file.document.value


def plain(path: str) -> Any:
    return read_document(path).value


def headed(value: Any) -> Any:
    """A bare list of entries is a catalog of these entries."""
    return {"models": value} if isinstance(value, list) else value


def by_id(value: dict[str, Any]) -> dict[str, Any]:
    return value | {"models": {entry["id"]: entry for entry in value["models"]}}


def digest_of(value: dict[str, Any]) -> str:
    return Catalog.model_validate(value, by_alias=True, by_name=False, context={"file": True}).digest


@LAW
@given(stack=stacks())
def test_merging_agrees_with_the_naive_merge(tmp_path: Path, stack: Stack) -> None:
    base, overlays = stack.write(tmp_path)
    naive = merged(plain(base), [plain(overlay) for overlay in overlays])
    assert same(merged_value(base, overlays), naive)
    assert load_catalog(base, overlays=overlays).digest == digest_of(naive)


@LAW
@given(stack=stacks(max_overlays=3), at=st.integers(0, 3), text=st.sampled_from([EMPTY, EMPTY + "override: {}\nadd: []\nremove: []\nexpect: {}\nacknowledge: {}\nlock: []\n"]))  # fmt: skip
def test_the_empty_overlay_is_identity_wherever_it_stands(tmp_path: Path, stack: Stack, at: int, text: str) -> None:
    base, overlays = stack.write(tmp_path)
    (tmp_path / "empty.yaml").write_text(text, encoding="utf-8")
    padded = [*overlays[:at], str(tmp_path / "empty.yaml"), *overlays[at:]]
    assert same(merged_value(base, padded), headed(merged_value(base, overlays)))
    assert load_catalog(base, overlays=padded).digest == load_catalog(base, overlays=overlays).digest


@LAW
@given(stack=stacks(max_overlays=0))
def test_no_overlay_is_identity(tmp_path: Path, stack: Stack) -> None:
    base, _ = stack.write(tmp_path)
    assert same(headed(merged_value(base, [])), headed(plain(base)))
    assert load_catalog(base).digest == load_catalog(base, overlays=[]).digest == digest_of(headed(plain(base)))


@LAW
@given(stack=stacks(min_overlays=1))
def test_merging_twice_gives_the_same_value_steps_and_findings(tmp_path: Path, stack: Stack) -> None:
    base, overlays = stack.write(tmp_path)
    one, two = read_layers(base, overlays), read_layers(base, overlays)
    assert one.file is not None
    assert two.file is not None
    assert repr(one.file.document.value) == repr(two.file.document.value)
    assert repr(one.merge.steps) == repr(two.merge.steps)
    assert one.findings == two.findings


@LAW
@given(stack=stacks(min_overlays=2, locks=False), cut=st.integers(1, 3))
def test_merging_in_two_goes_over_the_written_result_is_merging_at_once(tmp_path: Path, stack: Stack, cut: int) -> None:
    base, overlays = stack.write(tmp_path)
    between = tmp_path / "between.yaml"
    text = yaml_text(HEADER | headed(merged_value(base, overlays[:cut])), random.Random(stack.style))
    between.write_text(text, encoding="utf-8", newline="")
    assert same(merged_value(str(between), overlays[cut:]), HEADER | headed(merged_value(base, overlays)))
    again = load_catalog(between, overlays=overlays[cut:])
    assert again.digest == load_catalog(base, overlays=overlays).digest


@LAW
@given(stack=stacks(), seed=st.integers(0, 2**32))
def test_the_order_of_entries_keys_and_operations_in_a_file_means_nothing(
    tmp_path: Path, stack: Stack, seed: int
) -> None:
    base, overlays = stack.write(tmp_path)
    before = load_catalog(base, overlays=overlays).digest
    base, overlays = stack.write(tmp_path, shuffle=random.Random(seed))
    assert load_catalog(base, overlays=overlays).digest == before


@LAW
@given(stack=stacks(), style=st.integers(0, 2**32))
def test_the_style_of_the_files_means_nothing(tmp_path: Path, stack: Stack, style: int) -> None:
    one = merged_value(*stack.write(tmp_path))
    assert same(merged_value(*Stack(stack.base, stack.overlays, style).write(tmp_path)), one)


@pytest.mark.parametrize("extra", [{"a": []}, {"a": [1]}, {"a": {"b": [{"c": []}]}}])
def test_the_digest_of_a_catalog_with_a_list_in_extra_warns_of_nothing(extra: dict[str, Any]) -> None:
    value = Catalog.model_validate({"models": [entry("a", providerConfig={"extra": extra})]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert value.digest.startswith("sha256:")


def replayed(base: Any, steps: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    """The base after every recorded step; each must find what it says it found."""
    value = by_id(deepcopy(headed(base)))
    for subject, recorded in steps.items():
        for step in recorded:
            assert step.subject == subject
            *way, last = (*subject, *step.path)
            inside = value
            for number, part in enumerate(way):
                if number == 0 and part in ("routing", "vocabulary"):
                    inside.setdefault(part, {})
                inside = inside[part]
            assert same(inside.get(last, ABSENT), step.old), step
            assert step.idle or not same(step.old, step.new), step
            if step.new is ABSENT:
                inside.pop(last, None)
            else:
                inside[last] = deepcopy(step.new)
    return value


@LAW
@given(stack=stacks(min_overlays=1))
def test_replaying_the_recorded_steps_on_the_base_gives_the_result(tmp_path: Path, stack: Stack) -> None:
    base, overlays = stack.write(tmp_path)
    result = by_id(merged_value(base, overlays))
    assert same(replayed(plain(base), read_layers(base, overlays).merge.steps), result)


@LAW
@given(stack=stacks(min_overlays=1))
def test_a_step_is_idle_exactly_when_it_changes_nothing(tmp_path: Path, stack: Stack) -> None:
    base, overlays = stack.write(tmp_path)
    for steps in read_layers(base, overlays).merge.steps.values():
        for step in steps:
            assert step.idle == same(step.old, step.new), step


EQUAL = (
    "1",
    "1.0",
    "true",
    "'1'",
    "1.00",
    "1e0",
    "[1]",
    "[1.0]",
    "[true]",
    "{ b: 1 }",
    "{ b: 1.0 }",
    "null",
    "[]",
    "{}",
)


@pytest.mark.parametrize("new", EQUAL)
@pytest.mark.parametrize("old", EQUAL)
def test_a_knob_that_was_overridden_is_the_knob_that_the_overlay_says(tmp_path: Path, old: str, new: str) -> None:
    """To the digest and on the wire 1 and 1.0 are two values; what the digest sees is no no-op."""
    start = "apiVersion: aldo/models.v1\nkind: ModelCatalog\nmodels:\n- " + json.dumps(entry("a"))[:-1]
    (tmp_path / "new.yaml").write_text(f"{start}, providerConfig: {{ extra: {{ a: {new} }} }} }}\n", encoding="utf-8")
    (tmp_path / "old.yaml").write_text(f"{start}, providerConfig: {{ extra: {{ a: {old} }} }} }}\n", encoding="utf-8")
    (tmp_path / "1.yaml").write_text(
        EMPTY + f"override: {{ a: {{ providerConfig: {{ extra: {{ a: {new} }} }} }} }}\n", encoding="utf-8"
    )
    layers = read_layers(str(tmp_path / "old.yaml"), [str(tmp_path / "1.yaml")])
    if new == "{}" and old.startswith("{"):  # a map merges: an empty one says nothing
        new, expected = old, load_catalog(tmp_path / "old.yaml").digest
    else:
        expected = load_catalog(tmp_path / "new.yaml").digest
    if [finding.code for finding in layers.findings if finding.severity == "error"]:
        kinds = [
            type(plain(str(tmp_path / f"{name}.yaml"))["models"][0]["providerConfig"]["extra"]["a"])
            for name in ("old", "new")
        ]
        assert [finding.code for finding in layers.findings if finding.severity == "error"] == ["AL604"]
        assert len({"number" if kind in (int, WrittenFloat) else kind for kind in kinds}) == 2
    else:
        assert load_catalog(tmp_path / "old.yaml", overlays=[tmp_path / "1.yaml"]).digest == expected


@LAW
@given(stack=stacks(min_overlays=1))
def test_merging_changes_no_layer(tmp_path: Path, stack: Stack) -> None:
    base, overlays = stack.write(tmp_path)
    layers = read_layers(base, overlays)
    for document, path in zip(layers.documents, [base, *overlays], strict=True):
        assert same(document.value, plain(path)), path


@LAW
@given(stack=stacks(min_overlays=1))
def test_changing_the_result_changes_no_layer_and_no_record(tmp_path: Path, stack: Stack) -> None:
    """What a layer said and what was recorded are values of their own or are never handed out to be changed."""
    base, overlays = stack.write(tmp_path)
    layers = read_layers(base, overlays)
    before = repr(layers.merge.steps)
    result = deepcopy(layers.file.document.value)
    assert same(result, layers.file.document.value)
    result["models" if isinstance(result, dict) else 0] = None
    assert repr(layers.merge.steps) == before


SECTIONS = {
    "vocabulary": ("capabilities", "[x]", "{ $add: [x, y] }", "{ $remove: [x] }", "[]"),
    "routing": ("localNetworks", "[h.lan]", "{ $add: [h.lan, 10.0.0.0/8] }", "{ $remove: [h.lan] }", "[]"),
}


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("seed", range(20))
def test_settings_changed_by_four_layers_are_what_the_naive_merge_says(tmp_path: Path, section: str, seed: int) -> None:
    rng = random.Random(seed)
    name, *changes = SECTIONS[section]
    (tmp_path / "base.yaml").write_text(json.dumps([entry("a")]), encoding="utf-8")
    paths = [str(tmp_path / f"{number}.yaml") for number in range(4)]
    for path in paths:
        Path(path).write_text(f"{EMPTY}{section}: {{ {name}: {rng.choice(changes)} }}\n", encoding="utf-8")
    layers = read_layers(str(tmp_path / "base.yaml"), paths)
    assert {finding.code for finding in layers.findings if finding.severity == "error"} <= {"AL603"}
    naive = merged(plain(str(tmp_path / "base.yaml")), [plain(path) for path in paths])
    assert layers.file is not None
    assert same(layers.file.document.value.get(section, {}).get(name, []), naive[section][name])


INVALID_ALONE = {
    "typo": "overide: {}\n",
    "null entry": "override: { a: null }\n",
    "null field": "override: { a: { description: null } }\n",
    "wrong type": "override: { a: { effectiveContextTokens: many } }\n",
    "wrong value": "override: { a: { locality: moon } }\n",
    "half a cost": "override: { a: { cost: { usdPerMtokIn: 1 } } }\n",
    "half an entry": "add: [{ id: zz }]\n",
    "an id overridden": "override: { a: { id: zz } }\n",
    "both at once": "override: { a: { description: x, $unset: [description] } }\n",
    "in two sections": "override: { a: { description: x } }\nremove: [a]\n",
    "an operation elsewhere": "override: { a: { providerConfig: { $unset: [baseUrl] } } }\n",
    "syntax": "override: { a: \n",
    "a merge key": "override: { a: { <<: { description: x } } }\n",
    "a tag": "override: { a: !unset { description: x } }\n",
}


@pytest.mark.parametrize("text", INVALID_ALONE.values(), ids=INVALID_ALONE)
@settings(LAW, max_examples=4)
@given(stack=stacks(max_overlays=2))
def test_a_layer_that_is_invalid_alone_is_invalid_over_every_base(tmp_path: Path, text: str, stack: Stack) -> None:
    base, overlays = stack.write(tmp_path)
    path = tmp_path / "broken.yaml"
    path.write_text(EMPTY + text, encoding="utf-8")
    for layers in ([*overlays, path], [path, *overlays]):
        with pytest.raises(CatalogError) as raised:
            load_catalog(base, overlays=layers)
        assert str(path) in {finding.path for finding in raised.value.findings}


@settings(LAW, max_examples=25)
@given(stack=stacks(max_overlays=2), text=st.sampled_from([*INVALID_ALONE.values()]))
def test_what_is_wrong_with_a_layer_alone_is_told_the_same_wherever_it_stands(
    tmp_path: Path, stack: Stack, text: str
) -> None:
    base, overlays = stack.write(tmp_path)
    path = str(tmp_path / "broken.yaml")
    Path(path).write_text(EMPTY + text, encoding="utf-8")
    told = []
    for layers in ([path], [*overlays, path], [path, *overlays]):
        found = read_layers(base, layers).findings
        own = [finding for finding in found if finding.path == path and finding.severity == "error"]
        told.append({(finding.code, finding.span, finding.pointer) for finding in own if finding.code < "AL6"})
    assert told[0] == told[1] == told[2]
