"""Whatever the YAML, the text or the path: an edit is right or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aldo import UsageError
from aldo.catalog import parse_text
from aldo.catalog.editing.text import Text
from tests.catalog.editing.expected_edits import NESTED, NEW, VALUES, assert_sound, at, equal, paths, with_set, without
from tests.catalog.editing.layouts import KEYS, Path, Rng, randoms
from tests.support.reading import errors_in
from tests.support.yaml_writer import Writer


def one_edit(rng: Rng, value: Any, path: Path, new: Any) -> tuple[Callable[[Text], Text], Callable[[Any], bool]]:
    """An edit at a path of a value, and what its result must be."""
    there = at(value, path)
    if isinstance(there, list) and rng.random() < 0.4:
        return lambda text: text.append(path, new), lambda after: equal(after, with_set(value, path, [*there, new]))
    if isinstance(there, dict) and rng.random() < 0.5:
        here: Path = (*path, rng.choice((*NEW, *KEYS)))
        return lambda text: text.set(here, new), lambda after: equal(after, with_set(value, here, new))
    if path and rng.random() < 0.5:
        return lambda text: text.delete(path), lambda after: is_without(value, path, after)
    if not path:
        path = (0,) if isinstance(value, list) else ("a",)
    return lambda text: text.set(path, new), lambda after: equal(after, with_set(value, path, new))


def is_without(value: Any, path: Path, after: Any) -> bool:
    """Whether a value is another without one place, and without what holds nothing then."""
    for levels in range(len(path)):
        if levels and at(without(value, path, levels - 1), path[: len(path) - levels]) not in ({}, []):
            return False
        if equal(without(value, path, levels), after):
            return True
    return False


@settings(max_examples=800)
@given(randoms, st.sampled_from(VALUES + NESTED), st.sampled_from(("\n", "\r\n", "\r")))
def test_whatever_the_yaml_an_edit_is_right_or_refused(rng: Rng, new: Any, end: str) -> None:
    writer = Writer(rng, aliases=rng.random() < 0.3, tags=False)
    writer.document()
    text = writer.text.replace("\n", end)
    if rng.random() < 0.2:
        text = text.rstrip("\r\n")
    document = parse_text("x.yaml", text)
    if document.value is None or errors_in(document):
        return
    path = rng.choice(list(paths(document.value))[1:] or [()])
    edit, is_right = one_edit(rng, document.value, path, new)
    try:
        done = edit(Text(document))
    except UsageError:
        return
    assert is_right(done.value), done.document.text
    assert_sound(document, done, done.value)


PIECES = (
    "a",
    "b",
    ": ",
    ":",
    " ",
    "  ",
    "\n",
    "\n",
    "\r\n",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "#",
    " # c",
    "'",
    '"',
    "|",
    ">",
    "&x",
    "*x",
    "? ",
    "~",
    "1",
    "\t",
    "---\n",
    "...",
    "!!str ",
    "é",
    "%",
)


@settings(max_examples=800)
@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=14).map("".join), randoms, st.sampled_from(VALUES + NESTED)
)
def test_whatever_the_text_an_edit_is_right_or_refused(text: str, rng: Rng, new: Any) -> None:
    document = parse_text("x.yaml", text)
    if not isinstance(document.value, (dict, list)) or not document.value or errors_in(document):
        return
    path = rng.choice(list(paths(document.value))[1:] or [()])
    edit, is_right = one_edit(rng, document.value, path, new)
    try:
        done = edit(Text(document))
    except UsageError:
        return
    assert is_right(done.value), done.document.text
    again = parse_text("x.yaml", done.document.text)
    assert equal(again.value, done.value)
    assert not errors_in(again), done.document.text


FILES = ("a: 1\nb: [1, {a: 2}]\n", "- a: x\n  b:\n- [1]\n", "a:\n  b:\n    - 1\nb: {}\n", '{"a": {"b": [1]}}')


@settings(max_examples=300)
@given(
    st.lists(st.one_of(st.sampled_from(("a", "b", "zz")), st.integers(0, 3)), min_size=1, max_size=4).map(tuple),
    st.sampled_from(FILES),
    st.sampled_from(VALUES + NESTED),
)
def test_whatever_the_path_an_edit_is_right_or_refused(path: Path, text: str, new: Any) -> None:
    document = parse_text("x.yaml", text)
    before = found(document.value, path)
    for edit, wanted in (
        (lambda text: text.set(path, new), new),
        (lambda text: text.append(path, new), [*(before if isinstance(before, list) else []), new]),
    ):
        try:
            done = edit(Text(document))
        except UsageError:
            continue
        assert not errors_in(parse_text("x.yaml", done.document.text))
        assert equal(found(done.value, path), wanted)
        assert equal(done.value, with_set(document.value, path, wanted))


def found(value: Any, path: Path) -> Any:
    """What stands at a path; a text of its own where nothing does."""
    try:
        return at(value, path)
    except (KeyError, IndexError, TypeError):
        return "nothing"
