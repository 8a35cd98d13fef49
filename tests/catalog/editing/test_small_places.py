"""Edits where there is little: empty lists, keys without a value, last lines without an end, what is not there."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from aldo import UsageError
from aldo.catalog import parse_text
from aldo.catalog.editing.text import Text
from tests.catalog.editing.expected_edits import ENTRY, assert_sound, equal, with_set
from tests.catalog.editing.layouts import Path


@pytest.mark.parametrize("item", ["x", ENTRY], ids=["text", "entry"])
@pytest.mark.parametrize(
    "text", ["add: []\nb: 1\n", "b: 1\nadd: []", "add: [ ] # c\nb: 1\n", "add: [] # c\r\nb: 1\r\n", "{add: [], b: 1}\n"]
)
def test_an_empty_list_takes_its_first_item(text: str, item: Any) -> None:
    document = parse_text("x.yaml", text)
    edit = Text(document).append(("add",), item)
    assert_sound(document, edit, {"add": [item], "b": 1})
    assert ("# c" in text) == ("# c" in edit.document.text)


@pytest.mark.parametrize("item", ["x", ENTRY], ids=["text", "entry"])
@pytest.mark.parametrize("text", ["a: [ # c\n  ]\nb: 1\n", "a: [\n  # c\n]\nb: 1\n", "b: 1\na: [  # c\r\n  ]"])
def test_a_comment_in_an_empty_list_is_still_there_once_an_item_is(text: str, item: Any) -> None:
    document = parse_text("x.yaml", text)
    try:
        edit = Text(document).append(("a",), item)
    except UsageError:
        return
    assert_sound(document, edit, {"a": [item], "b": 1})
    assert "# c" in edit.document.text


@pytest.mark.parametrize("text", ["a: []\nb: 1\n", "a: [ ]\nb: 1\n", "a: [ ] # c\nb: 1", "{a: [], b: 1}\n"])
def test_an_empty_list_is_as_it_was_once_its_only_item_is_gone(text: str) -> None:
    edit = Text(parse_text("x.yaml", text)).append(("a",), "x").delete(("a", 0))
    assert edit.document.text == text


@pytest.mark.parametrize("new", ["text", 5, False, [1], {"k": {"v": 1}}, [ENTRY]], ids=repr)
@pytest.mark.parametrize(
    "text",
    [
        "a:\nb: 1\n",
        "b: 1\na:",
        "a: # c\nb: 1\n",
        "a:   \r\nb: 1\r\n",
        "a: null # c\nb: 1\n",
        "a: ~\nb: 1\n",
        "{a: null, b: 1}\n",
    ],
)
def test_a_key_without_a_value_takes_one(text: str, new: Any) -> None:
    document = parse_text("x.yaml", text)
    edit = Text(document).set(("a",), new)
    assert_sound(document, edit, {"a": new, "b": 1})
    assert ("# c" in text) == ("# c" in edit.document.text)


@pytest.mark.parametrize("path", [("a", "m"), ("a", "m", "x")])
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a:\nb: 1\n", "b: 1\n"),  # a key without a value is not told from one that the edit made
        ("a: # c\n  # d\nb: 1\n", "# c\n  # d\nb: 1\n"),
        ("b: 1\na:\n", "b: 1\n"),
        ("a: {}\nb: 1\n", "a: {}\nb: 1\n"),
        ("a: { } # c\nb: 1\n", "a: { } # c\nb: 1\n"),
    ],
)
def test_what_is_set_below_an_empty_key_and_deleted_again_leaves_an_empty_map(text: str, left: str, path: Path) -> None:
    edit = Text(parse_text("x.yaml", text)).set(path, 1)
    assert edit.value == with_set(parse_text("x.yaml", text).value, path, 1)
    assert edit.delete(path).document.text == left


@pytest.mark.parametrize("letter", ["\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("text", ["{}\n", '{"b": 1}\n', "a: x\n", "a: 'x'\n", 'a: "x"\n', "b: [1]\n"])
def test_a_letter_that_readers_of_yaml_disagree_about_is_written_as_an_escape(text: str, letter: str) -> None:
    edit = Text(parse_text("x.yaml", text)).set(("a",), f"one {letter} two")
    assert letter not in edit.document.text
    assert yaml.safe_load(edit.document.text)["a"] == f"one {letter} two"


@pytest.mark.parametrize("text", ["a: b", "a: b\nc: {d: 1}"])
def test_a_file_whose_last_line_has_no_end_gets_none(text: str) -> None:
    edit = Text(parse_text("x.yaml", text)).set(("new",), 1)
    assert edit.document.text == text + "\nnew: 1"
    assert edit.delete(("new",)).document.text == text


def test_a_new_pair_of_an_entry_stands_before_the_comment_that_speaks_of_the_next_one() -> None:
    text = "models:\n  - id: a\n    x: 1\n\n  # of b\n  - id: b\n"
    edit = Text(parse_text("x.yaml", text)).set(("models", 0, "y"), 2)
    assert edit.document.text == text.replace("    x: 1\n", "    x: 1\n    y: 2\n")


@pytest.mark.parametrize("path", [(), ("a",), ("zz",)])
@pytest.mark.parametrize("text", ["a: 1\n", "a: x\nb: *y\n", "{}\n"])
def test_an_item_for_what_is_no_list_is_refused_or_makes_one(text: str, path: Path) -> None:
    document = parse_text("x.yaml", text)
    try:
        done = Text(document).append(path, 1)
    except UsageError:
        return
    assert equal(done.value, with_set(document.value, path, [1]))


@pytest.mark.parametrize("path", [("zz",), ("a", "zz"), ("b", 5), ("a", "k", "deep"), ("zz", "zz")])
def test_to_delete_what_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(UsageError):
        Text(parse_text("x.yaml", "a: {k: 1}\nb: [1]\n")).delete(path)


@pytest.mark.parametrize(("path", "left"), [(("a", 1), "  x, # c\n"), (("a", 0), "  y,\n")])
def test_an_item_of_a_list_over_several_lines_goes_with_its_line(path: Path, left: str) -> None:
    edit = Text(parse_text("x.yaml", "a: [\n  x, # c\n  y,\n]\nb: 1\n")).delete(path)
    assert parse_text("x.yaml", edit.document.text).value == {"a": ["y" if path[1] == 0 else "x"], "b": 1}
    assert left in edit.document.text
