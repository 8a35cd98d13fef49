"""An edit of a YAML text changes the value at its path, the lines that it must, and nothing else, whatever the layout."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo import UsageError
from aldo.catalog import parse_text
from aldo.catalog.editing.text import Text
from tests.catalog.editing.expected_edits import (
    NESTED,
    NEW,
    VALUES,
    are_whole_lines_more,
    assert_comments_stay,
    assert_line_ends_stay,
    assert_sound,
    at,
    equal,
    inserted,
    lines_of,
    only_lines_changed,
    paths,
    with_set,
    without,
)
from tests.catalog.editing.layouts import Laid, Path, Rng, Spot, as_json, laid_out, randoms
from tests.support.reading import errors_in, ruamel_or_none
from tests.support.yaml_values import same


@settings(max_examples=300)
@given(randoms)
def test_the_layouts_of_these_tests_mean_what_they_say(rng: Rng) -> None:
    laid = laid_out(rng)
    assert same(laid.document.value, laid.value)
    assert not errors_in(laid.document)
    for spot in laid.spots:
        if spot.kind in ("plain", "single", "double", "long"):
            assert same(parse_text("x", "- " + laid.text[spot.start : spot.end]).value, [spot.value])


@settings(max_examples=400)
@given(randoms, st.sampled_from(VALUES))
def test_a_scalar_that_is_replaced_changes_its_own_characters_alone(rng: Rng, new: Any) -> None:
    laid = laid_out(rng)
    spot = laid.some(rng, "plain", "single", "double", "long")
    if spot is None:
        return
    edit = Text(laid.document).set(spot.path, new)
    assert_sound(laid.document, edit, with_set(laid.value, spot.path, new))
    text, rest = edit.document.text, len(laid.text) - spot.end
    assert text[: spot.start] == laid.text[: spot.start]
    assert text[len(text) - rest :] == laid.text[spot.end :]
    written = text[spot.start : len(text) - rest]
    assert "\n" not in written
    assert "\r" not in written
    if isinstance(new, str) and new.isprintable() and not same(spot.value, new):
        quote = {"single": "'", "double": '"'}.get(spot.kind, "")
        assert written.startswith(quote)


@settings(max_examples=400)
@given(randoms, st.sampled_from(VALUES))
def test_a_scalar_of_several_lines_that_is_replaced_changes_its_own_lines_alone(rng: Rng, new: Any) -> None:
    laid = laid_out(rng)
    spot = laid.some(rng, "block", "folded")
    if spot is None:
        return
    edit = Text(laid.document).set(spot.path, new)
    assert_sound(laid.document, edit, with_set(laid.value, spot.path, new))
    assert only_lines_changed(laid.text, edit.document.text, spot.first, spot.last)
    assert_line_ends_stay(laid, edit.document.text)


@settings(max_examples=300)
@given(randoms, st.sampled_from(VALUES))
def test_every_comment_is_still_there_when_a_scalar_of_several_lines_is_replaced(rng: Rng, new: Any) -> None:
    laid = laid_out(rng)
    spot = laid.some(rng, "block", "folded", where=lambda spot: not laid.text.startswith(("|+", ">+"), spot.start))
    if spot is not None:
        assert_comments_stay(laid, Text(laid.document).set(spot.path, new).document.text)


@pytest.mark.parametrize("text", ["<<", "="])
def test_a_text_that_yaml_1_1_takes_for_a_merge_or_a_default_is_quoted(text: str) -> None:
    edited = Text(parse_text("x.yaml", "a: 1\n")).set(("a",), text).document.text
    assert yaml.safe_load(edited) == {"a": text}
    assert ruamel_or_none(edited) == (True, {"a": text})


@settings(max_examples=400)
@given(randoms, st.sampled_from(NEW), st.sampled_from(VALUES + NESTED))
def test_a_new_key_of_a_block_map_is_whole_lines_more_and_no_line_else(rng: Rng, key: str, new: Any) -> None:
    laid = laid_out(rng)
    spot = rng.choice([spot for spot in laid.spots if spot.kind == "map"] or [None])
    if spot is None:
        return
    path: Path = (*spot.path, key, *rng.choice(((), (), ("deep",), ("deep", "er"))))
    edit = Text(laid.document).set(path, new)
    assert_sound(laid.document, edit, with_set(laid.value, path, new))
    text = edit.document.text
    assert are_whole_lines_more(laid.text, text)
    assert_comments_stay(laid, text)
    assert_line_ends_stay(laid, text)


@settings(max_examples=400)
@given(randoms, st.sampled_from(NEW), st.sampled_from(VALUES + NESTED))
def test_a_new_key_of_a_map_in_braces_is_characters_more_inside_the_braces(rng: Rng, key: str, new: Any) -> None:
    laid = laid_out(rng)
    spot = laid.some(
        rng, "flow-map", where=lambda spot: bool(spot.value) or "\n" not in laid.text[spot.start : spot.end]
    )
    if spot is None:
        return
    edit = Text(laid.document).set((*spot.path, key), new)
    assert_sound(laid.document, edit, with_set(laid.value, (*spot.path, key), new))
    text, rest = edit.document.text, len(laid.text) - spot.end + 1
    assert inserted(laid.text, text) is not None
    assert text[: spot.start + 1] == laid.text[: spot.start + 1]
    assert text[len(text) - rest :] == laid.text[spot.end - 1 :]
    assert_comments_stay(laid, text)
    assert_line_ends_stay(laid, text)


@settings(max_examples=400)
@given(randoms, st.sampled_from(VALUES + NESTED))
def test_an_item_more_is_a_line_more_or_characters_inside_the_brackets(rng: Rng, item: Any) -> None:
    laid = laid_out(rng)
    spot = laid.some(rng, "list", "flow-list", where=lambda spot: bool(spot.value))
    if spot is None:
        return
    edit = Text(laid.document).append(spot.path, item)
    assert_sound(laid.document, edit, with_set(laid.value, spot.path, [*spot.value, item]))
    text = edit.document.text
    if spot.kind == "flow-list":
        rest = len(laid.text) - spot.end + 1
        assert text[: spot.start + 1] == laid.text[: spot.start + 1]
        assert text[len(text) - rest :] == laid.text[spot.end - 1 :]
        assert inserted(laid.text, text) is not None
    else:
        assert are_whole_lines_more(laid.text, text)
    assert_comments_stay(laid, text)
    assert_line_ends_stay(laid, text)


@settings(max_examples=500)
@given(randoms)
def test_what_is_deleted_takes_its_own_lines_with_it_and_no_others(rng: Rng) -> None:
    laid = laid_out(rng)
    spot = laid.some(rng, *KINDS, where=lambda spot: len(at(laid.value, spot.path[:-1])) > 1 or len(spot.path) == 1)
    if spot is None or len(laid.value) == 1:
        return
    try:
        edit = Text(laid.document).delete(spot.path)
    except UsageError:
        assert may_refuse_deletion(laid, spot)
        return
    assert_sound(laid.document, edit, without(laid.value, spot.path))
    text = edit.document.text
    first = max(0, spot.first - 1) if spot.flow else spot.first  # in brackets, the comma before it
    assert only_lines_changed(laid.text, text, first, last_line(laid, spot))
    assert spot.flow or len(lines_of(laid.text)) - len(lines_of(text)) >= spot.last - spot.first + 1
    kept = [comment for comment in laid.comments if comment_line(laid, comment) not in range(spot.first, spot.last + 1)]
    assert all(comment in text for comment in kept)
    assert_line_ends_stay(laid, text)


KINDS = ("plain", "single", "double", "long", "block", "folded", "null", "flow-map", "flow-list", "map", "list")


def comment_line(laid: Laid, comment: str) -> int:
    return len(lines_of(laid.text[: laid.text.index(comment) + 1])) - 1


def last_line(laid: Laid, spot: Spot) -> int:
    """The last line of a pair; where it shares its first one with a dash, the one before the pair that takes its place."""
    following = following_a_dash(laid, spot)
    return spot.last if following is None else following.first


def following_a_dash(laid: Laid, spot: Spot) -> Spot | None:
    keys = list(at(laid.value, spot.path[:-1])) if isinstance(spot.path[-1], str) else []
    line = lines_of(laid.text)[spot.first] if not spot.flow else ""
    if not keys or keys[0] != spot.path[-1] or not line.lstrip().startswith("-") or len(keys) < 2:
        return None
    return next(other for other in laid.spots if other.path == (*spot.path[:-1], keys[1]))


def may_refuse_deletion(laid: Laid, spot: Spot) -> bool:
    """Where a careful person, too, would think twice.

    A comment between two keys, the first of which has the dash, or between a dash and its item; a comment beside the comma before the last item; and
    a block scalar just above, to which what stands below the pair would then belong.
    """
    item = laid.text[: spot.start].splitlines()[spot.first :]
    if isinstance(spot.path[-1], int) and any("#" in line for line in item):
        return True
    following = following_a_dash(laid, spot)
    if following is not None:
        return any(spot.first <= comment_line(laid, comment) < following.first for comment in laid.comments)
    if spot.flow:
        return any(spot.first - 1 <= comment_line(laid, comment) <= spot.last for comment in laid.comments)
    above = [other for other in laid.spots if other.last < spot.first and other.kind not in ("map", "list")]
    return bool(above) and max(above, key=lambda other: other.start).kind == "block"


@settings(max_examples=500)
@given(randoms, st.sampled_from(NEW), st.sampled_from(VALUES + NESTED))
def test_what_is_set_and_deleted_again_leaves_the_file_as_it_was(rng: Rng, key: str, new: Any) -> None:
    laid = laid_out(rng)
    maps = [path for path in paths(laid.value) if isinstance(at(laid.value, path), dict) and path[:1] not in ANCHORED]
    path: Path = (*rng.choice(maps), key, *rng.choice(((), (), ("deep",), ("deep", "er"))))
    first = Text(laid.document)
    try:
        edit = first.set(path, new)
    except UsageError:
        parent = at(laid.value, path[: path.index(key)])
        assert parent == {}
        return
    assert edit.delete(path).document.text == laid.text
    assert first.document.text == laid.text


ANCHORED = (("anchored",), ("again",), ("third",))


@settings(max_examples=300)
@given(randoms, st.sampled_from(VALUES + NESTED))
def test_what_is_appended_and_deleted_again_leaves_the_file_as_it_was(rng: Rng, item: Any) -> None:
    laid = laid_out(rng)
    lists = [path for path in paths(laid.value) if isinstance(at(laid.value, path), list) and path[:1] not in ANCHORED]
    if not lists:
        return
    path = rng.choice(lists)
    before = at(laid.value, path)
    if not before:
        return
    edit = Text(laid.document).append(path, item)
    assert edit.delete((*path, len(before))).document.text == laid.text


@settings(max_examples=300)
@given(randoms)
def test_setting_the_value_that_stands_there_changes_nothing(rng: Rng) -> None:
    laid = laid_out(rng)
    for path in paths(laid.value):
        if path:
            assert Text(laid.document).set(path, copy.deepcopy(at(laid.value, path))).document.text == laid.text


@settings(max_examples=300)
@given(randoms, st.sampled_from(VALUES), st.sampled_from(VALUES))
def test_two_sets_of_different_paths_commute_in_value(rng: Rng, one: Any, other: Any) -> None:
    laid = laid_out(rng)
    scalars = [spot.path for spot in laid.spots if spot.kind in ("plain", "single", "double")]
    maps = [spot.path for spot in laid.spots if spot.kind == "map"]
    places: list[Path] = [*scalars, *((*path, "new") for path in maps), *((*path, "more") for path in maps)]
    if len(places) < 2:
        return
    first, second = rng.sample(places, 2)
    text = Text(laid.document)
    there = text.set(first, one).set(second, other)
    back = text.set(second, other).set(first, one)
    wanted = with_set(with_set(laid.value, first, one), second, other)
    assert_sound(laid.document, there, wanted)
    assert_sound(laid.document, back, wanted)


@settings(max_examples=200)
@given(randoms, st.sampled_from(VALUES + NESTED))
def test_json_stays_json(rng: Rng, new: Any) -> None:
    laid = as_json(rng)
    places: list[Path] = [
        ("a",),
        ("b", "c", 1),
        ("new",),
        ("b", "é", "k"),
        ("models", 0, "cost", "in"),
        ("models", 0, "deep", "er"),
    ]
    path = rng.choice(places)
    edit = Text(laid.document).set(path, new)
    assert equal(json.loads(edit.document.text), with_set(laid.value, path, new))
    more = Text(laid.document).append(rng.choice([("models",), ("b", "c")]), new)
    assert equal(json.loads(more.document.text), more.value)
    less = Text(laid.document).delete(
        rng.choice([("a",), ("e",), ("b", "n"), ("b", "c", 0), ("b", "c", 1), ("models",)])
    )
    assert equal(json.loads(less.document.text), less.value)
