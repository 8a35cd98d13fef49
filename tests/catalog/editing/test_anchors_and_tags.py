"""Edits among anchors, aliases and tags: what another place has by alias stays right, or the edit is refused."""

from __future__ import annotations

from typing import Any

import pytest

from aldo import UsageError
from aldo.catalog import parse_text
from aldo.catalog.editing.text import Text
from tests.catalog.editing.expected_edits import assert_sound, with_set, without
from tests.catalog.editing.layouts import Path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a: &x {k: 1}\nb: *x\n", ("b", "k")),
        ("a: &x {k: 1}\nb: *x\n", ("b", "new")),
        ("a: &x {k: 1}\nb: *x\n", ("b", "new", "deep")),
        ("a: &x\n  k: 1\nb: *x\n", ("b", "new")),
        ("a: &x\n  k: 1\nb: *x\n", ("a", "new")),
        ("a: &x\n  k: 1\nb: *x\n", ("a", "k")),
        ("a: &x [1]\nb: *x\n", ("b", 0)),
        ("a: &x [1]\nb: [*x, *x]\n", ("b", 1, 0)),
    ],
)
def test_what_an_alias_repeats_is_not_changed_by_way_of_one_of_the_two(text: str, path: Path) -> None:
    document = parse_text("x.yaml", text)
    try:
        edit = Text(document).set(path, 7)
    except UsageError as error:
        assert "edit it by hand" in str(error)
        return
    assert_sound(document, edit, with_set(document.value, path, 7))


@pytest.mark.parametrize("text", ["a: &x [1]\nb: *x\n", "a: &x\n  - 1\nb: *x\n", "a: &x [{i: 1}]\nb: *x\n"])
@pytest.mark.parametrize("path", [("a",), ("b",)])
def test_an_item_more_of_a_list_that_an_alias_repeats_is_refused(text: str, path: Path) -> None:
    with pytest.raises(UsageError, match="edit it by hand"):
        Text(parse_text("x.yaml", text)).append(path, "x")


@pytest.mark.parametrize(
    "text",
    ["a: &x 1\nb: *x\nc: 1\n", "a: &x ~\nb: *x\nc: 1\n", "c:\n- &x\n  - ~\n- *x\na: 1\n", "a: &x\nb: *x\nc: 1\n"],
)
def test_an_anchor_that_is_still_needed_is_never_deleted(text: str) -> None:
    document = parse_text("x.yaml", text)
    for path in [("a",), ("c", 0)] if "- &x" in text else [("a",)]:
        try:
            edit = Text(document).delete(path)
        except UsageError:
            continue
        assert_sound(document, edit, without(document.value, path))


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x\nc: 1\n", "a: &x ~\nb: *x\nc: 1\n", "a: &x {k: 1}\nb: *x\n"])
@pytest.mark.parametrize("new", [2, None, {"k": 1}, []], ids=repr)
def test_an_anchored_value_that_is_replaced_leaves_its_aliases_right_or_is_refused(text: str, new: Any) -> None:
    document = parse_text("x.yaml", text)
    try:
        edit = Text(document).set(("a",), new)
    except UsageError:
        return
    assert_sound(document, edit, with_set(document.value, ("a",), new))


@pytest.mark.parametrize("tagged", ["!!str 1", "!!float 3", "!!int 0x1f", "!!null ''"])
@pytest.mark.parametrize("new", ["word", 7, {"k": 1}, [1]], ids=repr)
def test_a_tag_does_not_stay_before_a_value_that_it_does_not_fit(tagged: str, new: Any) -> None:
    document = parse_text("x.yaml", f"a: {tagged}\nb: 1\n")
    try:
        edit = Text(document).set(("a",), new)
    except UsageError:
        return
    assert_sound(document, edit, {"a": new, "b": 1})
