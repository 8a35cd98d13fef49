"""Where every leaf of a merged catalog comes from: file, line, column, operation, old and new."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from aldo.catalog import read_document
from aldo.catalog.layers import ABSENT, read_layers, trace
from tests.catalog.layers.naive_merge import Stack, leaves, same, stacks
from tests.support.reading import text_at

LAW = settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
SETTING = ("base", "add", "override")


def merged_of(layers: Any) -> dict[str, Any]:
    value = layers.file.document.value
    return {entry["id"]: entry for entry in (value if isinstance(value, list) else value["models"])}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, child in children:
        yield from places(child, (*path, part))


def values_at(file: str, span: Any) -> list[Any]:
    """What stands at a span of a file that is read again."""
    document = read_document(file)
    return [value for path, value in places(document.value) if document.locate(path) == span]


@LAW
@given(stack=stacks())
def test_every_leaf_of_the_result_is_traced_and_all_else_is_what_is_gone(tmp_path: Path, stack: Stack) -> None:
    layers = read_layers(*stack.write(tmp_path))
    for name, entry in merged_of(layers).items():
        found = trace(layers, name)
        assert len({each.path for each in found}) == len(found)
        traced = {each.path: each.value for each in found if each.value is not ABSENT}
        gone = [each.path for each in found if each.value is ABSENT]
        emptied = {path[:size] for path in gone for size in range(len(path))}
        expected = leaves(entry)
        assert traced.keys() <= expected.keys()
        assert all(expected[path] == {} and path in emptied for path in expected.keys() - traced.keys())
        assert all(same(traced[path], expected[path]) for path in traced)


@LAW
@given(stack=stacks())
def test_a_chain_ends_in_the_value_and_each_link_takes_up_where_the_last_one_left(tmp_path: Path, stack: Stack) -> None:
    layers = read_layers(*stack.write(tmp_path))
    for name in merged_of(layers):
        for found in trace(layers, name):
            assert same(found.chain[-1].new, found.value), found
            assert found.chain[0].old is ABSENT or found.chain[0].operation in ("$add", "$remove"), found
            assert [link.layer for link in found.chain] == sorted(link.layer for link in found.chain)
            for before, link in zip(found.chain, found.chain[1:], strict=False):
                assert same(link.old, before.new), found
            assert all(same(link.old, link.new) for link in found.chain if link.idle and link.operation != "override")
            assert all(link.idle or not same(link.old, link.new) for link in found.chain), found


@LAW
@given(stack=stacks())
def test_the_last_link_that_did_something_points_at_the_text_that_says_the_value(tmp_path: Path, stack: Stack) -> None:
    base, overlays = stack.write(tmp_path)
    layers = read_layers(base, overlays)
    for name in merged_of(layers):
        for found in (each for each in trace(layers, name) if each.value is not ABSENT):
            last = [link for link in found.chain if not link.idle][-1]
            assert last.file == [base, *overlays][last.layer]
            there = values_at(last.file, last.span)
            if last.operation in SETTING:
                assert any(same(value, found.value) for value in there), (found, there)
            else:
                assert last.operation in ("$add", "$remove"), found
                assert any(isinstance(value, list) and value for value in there), (found, there)


@LAW
@given(stack=stacks())
def test_every_link_points_into_the_file_of_its_layer(tmp_path: Path, stack: Stack) -> None:
    base, overlays = stack.write(tmp_path)
    layers = read_layers(base, overlays)
    for name in merged_of(layers):
        for found in trace(layers, name):
            for link in found.chain:
                assert link.file == [base, *overlays][link.layer]
                assert link.span is not None
                text = text_at(Path(link.file).read_text(encoding="utf-8"), link.span)
                assert text.strip(), found


@LAW
@given(stack=stacks())
def test_the_trace_of_a_path_is_the_part_of_the_whole_trace_below_it(tmp_path: Path, stack: Stack) -> None:
    layers = read_layers(*stack.write(tmp_path))
    for name, entry in merged_of(layers).items():
        whole = trace(layers, name)
        assert trace(layers, name, "") == whole
        for field in entry:
            assert trace(layers, name, field) == tuple(found for found in whole if found.path[0] == field)
        texts = [".".join(found.path) for found in whole]
        for found, text in zip(whole, texts, strict=True):
            if sum(other == text or other.startswith(f"{text}.") for other in texts) == 1:
                assert trace(layers, name, text) == (found,)


BASE = """\
apiVersion: aldo/models.v1
kind: ModelCatalog
models:
  - id: one
    provider: p
    providerKind: mlx
    locality: local
    capabilityClass: fast-draft
    provides: &tags [streaming, vision]
    privacyAllowed: [public]
    effectiveContextTokens: 100
    cost: { usdPerMtokIn: 1, usdPerMtokOut: 2, usdPerMtokCacheRead: 0.5 }
    providerConfig:
      baseUrl: http://localhost:1
      headers: { X.y: z }
      extra: { deep: { a: 1, b: { c: 2 } } }
    description: first
"""
HEAD = "apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay\n"
Place = tuple[int, str, int, int, Any, Any, bool]
"""Layer, operation, line, column, old, new, idle."""


def chain_of(tmp_path: Path, path: str, *overlays: str, name: str = "one", base: str = BASE) -> list[Place]:
    (tmp_path / "base.yaml").write_text(base, encoding="utf-8")
    paths = []
    for number, text in enumerate(overlays, start=1):
        paths.append(str(tmp_path / f"{number}.yaml"))
        Path(paths[-1]).write_text(HEAD + text, encoding="utf-8")
    layers = read_layers(str(tmp_path / "base.yaml"), paths)
    assert [finding for finding in layers.findings if finding.severity == "error"] == []
    (found,) = trace(layers, name, path)
    return [
        (link.layer, link.operation, link.span.line, link.span.column, link.old, link.new, link.idle)
        for link in found.chain
    ]


def test_an_override_in_three_layers_is_a_chain_of_four(tmp_path: Path) -> None:
    layers = [f"override:\n  one:\n    effectiveContextTokens: {size}\n" for size in (200, 300, 300)]
    assert chain_of(tmp_path, "effectiveContextTokens", *layers) == [
        (0, "base", 11, 29, ABSENT, 100, False),
        (1, "override", 5, 29, 100, 200, False),
        (2, "override", 5, 29, 200, 300, False),
        (3, "override", 5, 29, 300, 300, True),
    ]


def test_what_was_unset_and_set_again_tells_all_of_it(tmp_path: Path) -> None:
    layers = ["override:\n  one:\n    $unset: [description]\n", "override:\n  one: { description: again }\n"]
    assert chain_of(tmp_path, "description", *layers) == [
        (0, "base", 17, 18, ABSENT, "first", False),
        (1, "$unset", 5, 14, "first", ABSENT, False),
        (2, "override", 4, 23, ABSENT, "again", False),
    ]


def test_a_map_unset_above_a_leaf_is_part_of_the_chain_of_the_leaf(tmp_path: Path) -> None:
    layers = [
        "override:\n  one:\n    $unset: [providerConfig.extra]\n",
        "override:\n  one:\n    providerConfig: { extra: { deep: { b: { c: 3 } } } }\n",
    ]
    assert chain_of(tmp_path, "providerConfig.extra.deep.b.c", *layers) == [
        (0, "base", 16, 38, ABSENT, 2, False),
        (1, "$unset", 5, 14, 2, ABSENT, False),
        (2, "override", 5, 48, ABSENT, 3, False),
    ]


def test_an_entry_removed_and_added_again_tells_both(tmp_path: Path) -> None:
    entry = "\n".join(BASE.splitlines()[3:]) + "\n"
    added = "add:\n" + entry.replace("description: first", "description: second")
    assert chain_of(tmp_path, "description", "remove:\n  - one\n", added) == [
        (0, "base", 17, 18, ABSENT, "first", False),
        (1, "remove", 4, 5, "first", ABSENT, False),
        (2, "add", 17, 18, ABSENT, "second", False),
    ]


def test_adding_to_a_list_and_removing_from_it_are_two_links_at_their_lists(tmp_path: Path) -> None:
    layer = "override:\n  one:\n    provides:\n      $remove: [vision]\n      $add: [tool-use]\n"
    chain = chain_of(tmp_path, "provides", layer)
    assert chain[0] == (0, "base", 9, 15, ABSENT, ["streaming", "vision"], False) or chain[0][3] == 21
    assert {(operation, line, column) for _, operation, line, column, *_ in chain[1:]} == {
        ("$remove", 6, 16),
        ("$add", 7, 13),
    }
    assert chain[-1][5] == ["streaming", "tool-use"]


def test_a_price_of_a_cost_that_was_replaced_points_at_the_price(tmp_path: Path) -> None:
    layer = "override:\n  one:\n    cost: { usdPerMtokOut: 2.0, usdPerMtokIn: 3 }\n"
    assert chain_of(tmp_path, "cost.usdPerMtokIn", layer) == [
        (0, "base", 12, 27, ABSENT, 1, False),
        (1, "override", 5, 47, 1, 3, False),
    ]


def test_a_price_that_a_new_cost_repeats_in_another_spelling_did_nothing(tmp_path: Path) -> None:
    layer = "override:\n  one:\n    cost: { usdPerMtokOut: 2.0, usdPerMtokIn: 3 }\n"
    chain = chain_of(tmp_path, "cost.usdPerMtokOut", layer)
    assert [(layer, operation, line, column, idle) for layer, operation, line, column, _, _, idle in chain] == [
        (0, "base", 12, 45, False),
        (1, "override", 5, 28, True),
    ]


def test_a_price_that_a_new_cost_leaves_out_is_gone_by_that_cost(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "1.yaml").write_text(
        HEAD + "override: { one: { cost: { usdPerMtokIn: 1, usdPerMtokOut: 2 } } }\n", encoding="utf-8"
    )
    layers = read_layers(str(tmp_path / "base.yaml"), [str(tmp_path / "1.yaml")])
    (gone,) = (found for found in trace(layers, "one", "cost") if found.path[-1] == "usdPerMtokCacheRead")
    assert gone.value is ABSENT
    assert [(link.layer, link.operation, link.span and link.span.line, link.new) for link in gone.chain] == [
        (0, "base", 12, 0.5),
        (1, "override", 3, ABSENT),
    ]


def test_what_an_acknowledge_excuses_is_part_of_no_value(tmp_path: Path) -> None:
    layer = "override: { one: { privacyAllowed: { $add: [internal] } } }\nacknowledge: { one: ours }\n"
    chain = chain_of(tmp_path, "privacyAllowed", layer, base="lock: [privacyAllowed]\n" + BASE)
    assert [(layer, operation) for layer, operation, *_ in chain] == [(0, "base"), (1, "$add")]


def test_dots_in_ids_and_keys_are_no_paths(tmp_path: Path) -> None:
    base = BASE.replace("id: one", "id: one.two")
    layer = "override: { one.two: { providerConfig: { headers: { X.y: w } } } }\n"
    assert [link[5] for link in chain_of(tmp_path, "providerConfig.headers.X.y", layer, name="one.two", base=base)] == [
        "z",
        "w",
    ]


@pytest.mark.parametrize("name", ["nine", "", "on"])
def test_an_id_that_is_not_there_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    from aldo import AldoError

    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    with pytest.raises(AldoError):
        trace(read_layers(str(tmp_path / "base.yaml"), []), name)


@pytest.mark.parametrize(
    "path", ["descriptio", "cost.usdPerMtokCacheWrite", "cost.", ".", "provides.0", "description.x"]
)
def test_a_path_that_is_not_there_is_an_error_of_ours_or_nothing(tmp_path: Path, path: str) -> None:
    from aldo import AldoError

    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    layers = read_layers(str(tmp_path / "base.yaml"), [])
    try:
        assert trace(layers, "one", path) == ()
    except AldoError as error:
        assert str(error)
