"""Every key and value is found where it was written, whatever the style, the line ends and the letters."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.catalog import read_document
from aldo.catalog.document import Document
from aldo.errors import Span
from tests.support.reading import errors_in, offsets, read, text_at, value_of
from tests.support.yaml_values import same
from tests.support.yaml_writer import Place, Writer

LINE_ENDS = ("\n", "\r\n", "\r")


def written(rng: random.Random) -> tuple[Document, Writer]:
    writer = Writer(rng)
    writer.document()
    document = read(writer.text)
    assert not errors_in(document)
    return document, writer


def located(document: Document, place: Place) -> Span:
    span = document.locate(place.path, key=place.key)
    assert span is not None
    return span


@settings(deadline=None, max_examples=300)
@given(st.randoms(use_true_random=False))
def test_a_key_is_located_exactly(rng: random.Random) -> None:
    document, writer = written(rng)
    for place in writer.places:
        if place.key:
            assert offsets(writer.text, located(document, place)) == (place.start, place.end)


@settings(deadline=None, max_examples=300)
@given(st.randoms(use_true_random=False))
def test_a_scalar_or_flow_collection_is_located_exactly(rng: random.Random) -> None:
    """Its anchor may belong to it or not; nothing else may."""
    document, writer = written(rng)
    for place in writer.places:
        if not place.key and place.kind in ("scalar", "flow", "alias"):
            start, end = offsets(writer.text, located(document, place))
            assert start in (place.node_start, place.start)
            assert end == place.end


@settings(deadline=None, max_examples=400)
@given(st.randoms(use_true_random=False))
def test_the_text_at_a_span_parsed_alone_is_the_value(rng: random.Random) -> None:
    document, writer = written(rng)
    for place in writer.places:
        if place.key or place.holds_alias or place.kind == "empty":
            continue
        span = located(document, place)
        alone = " " * (span.column - 1) + text_at(writer.text, span)
        if place.kind == "block" and "&" in writer.text[place.node_start : place.start]:
            alone = alone.lstrip(" ")
        if place.value is None:  # a document that is null counts as empty
            assert value_of(f"- {alone}") == [None]
        else:
            assert same(value_of(alone), place.value), place


@settings(deadline=None, max_examples=200)
@given(st.randoms(use_true_random=False))
def test_an_empty_value_is_an_empty_span_on_the_line_of_its_key_or_dash(rng: random.Random) -> None:
    document, writer = written(rng)
    for place in writer.places:
        if place.kind == "empty":
            span = located(document, place)
            assert text_at(writer.text, span) == ""
            assert span.line == writer.text.count("\n", 0, place.start) + 1


@settings(deadline=None, max_examples=200)
@given(st.randoms(use_true_random=False))
def test_spans_nest_and_follow_the_order_of_the_text(rng: random.Random) -> None:
    document, writer = written(rng)
    spans = {place.path: offsets(writer.text, located(document, place)) for place in writer.places if not place.key}
    for path, (start, end) in spans.items():
        assert start <= end <= len(writer.text)
        if path:
            outer_start, outer_end = spans[path[:-1]]
            assert outer_start <= start
            assert end <= max(outer_end, start)


@settings(deadline=None, max_examples=150)
@given(st.randoms(use_true_random=False), st.sampled_from(LINE_ENDS), st.booleans())
def test_line_ends_and_a_byte_order_mark_move_nothing(
    tmp_path_factory: pytest.TempPathFactory, rng: random.Random, line_end: str, mark: bool
) -> None:
    document, writer = written(rng)
    path = tmp_path_factory.mktemp("ends") / "x.yaml"
    path.write_bytes((("\ufeff" if mark else "") + writer.text.replace("\n", line_end)).encode())
    other = read_document(str(path))
    assert not errors_in(other)
    assert same(other.value, document.value)
    for place in writer.places:
        assert located(other, place) == located(document, place), place


@dataclass(frozen=True)
class Pair:
    key: str
    text: str
    value: Any


VALUES = st.sampled_from(
    (
        ("1", 1),
        ("'😀'", "😀"),
        ("[1, {a: 2}]", [1, {"a": 2}]),
        ("{a: 1, b: [2, 3]}", {"a": 1, "b": [2, 3]}),
        ("{a: 1, a: [2, 3], c: 4}", {"a": 1, "c": 4}),
        ("{a: {x: 1, x: 2}, a: {y: 3, y: 4, y: 5}}", {"a": {"x": 1}}),
        ("&n{} [1]", [1]),
    )
)
PAIRS = st.lists(
    st.builds(lambda k, v: Pair(k, *v), st.sampled_from(("a", "b", "c", "é")), VALUES), min_size=1, max_size=8
)


@settings(deadline=None, max_examples=200)
@given(PAIRS, st.booleans(), st.booleans())
def test_a_repeated_key_keeps_its_first_value_and_moves_no_sibling(pairs: list[Pair], flow: bool, listed: bool) -> None:
    text, places, repeated = "- x\n- " if listed else "", {}, []
    text += "{" if flow else ""
    for number, pair in enumerate(pairs):
        text += "" if number == 0 else ", " if flow else "\n  " if listed else "\n"
        shown = pair.text.replace("{}", str(number))
        if pair.key in places:
            repeated.append(len(text))
        else:
            places[pair.key] = (len(text), shown, pair.value)
        text += f"{pair.key}: {shown}"
    text += "}\n" if flow else "\n"
    document = read(text)
    prefix = (1,) if listed else ()
    value = document.value[1] if listed else document.value
    assert {finding.code for finding in errors_in(document)} <= {"AL102"}
    found = [offsets(text, finding.span)[0] for finding in errors_in(document) if finding.span]
    assert set(repeated) <= set(found)
    assert len(found) == len(set(found))
    assert same(value, {key: first for key, (_, _, first) in places.items()})
    for key, (start, shown, first) in places.items():
        span, key_span = document.locate((*prefix, key)), document.locate((*prefix, key), key=True)
        assert key_span is not None
        assert offsets(text, key_span) == (start, start + len(key))
        assert text_at(text, span) in (shown, shown.split(" ", 1)[-1])
        if isinstance(first, dict) and "c" in first:
            assert text_at(text, document.locate((*prefix, key, "c"))) == "4"
        if first == {"a": 1, "b": [2, 3]}:
            assert text_at(text, document.locate((*prefix, key, "b", 1))) == "3"


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a: &x {k: [1, 2]}\nb: *x\n", ("b",), "*x"),
        ("a: &x {k: [1, 2]}\nb: *x\n", ("b", "k", 1), "2"),
        ("a: &x {k: &y [1, 2]}\nb: *x\nc: *y\nd: [*y, *x]\n", ("d", 1, "k", 0), "1"),
        ("a: &x {k: &y [1, 2]}\nb: *x\nc: *y\nd: [*y, *x, 9]\n", ("d", 2), "9"),
        ("a: &x {k: 1}\nb: &x {k: 2}\nc: *x\n", ("c", "k"), "2"),
        ("a: 1\na: &y {b: 7}\nc: *y\nd: 8\n", ("d",), "8"),
        ("- &x [1, 2]\n- {k: *x, l: 3}\n", (1, "l"), "3"),
        ("&k a: 1\nb: *k\n", ("b",), "*k"),
    ],
)
def test_an_alias_stands_where_it_is_written_and_leads_to_its_anchor(
    text: str, path: tuple[str | int, ...], expected: str
) -> None:
    assert text_at(text, read(text).locate(path)) == expected


def test_an_anchor_in_a_dropped_pair_still_serves_its_aliases() -> None:
    document = read("a: 1\na: &y {b: 7}\nc: *y\nd: 8\n")
    assert [finding.code for finding in document.findings] == ["AL102"]
    assert document.value == {"a": 1, "c": {"b": 7}, "d": 8}
    span = document.locate(("c", "b"))
    assert span is not None
    assert span.line in (2, 3)


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ("😀😀: 𝒳 # 😀\n", ("😀😀",), (1, 5, 1, 6)),
        ('["😀", "\\U0001F600", x]\n', (2,), (1, 21, 1, 22)),
        ("a:\n  - b: 1\n    c: 2\n", ("a", 0, "c"), (3, 8, 3, 9)),
        ('a: "x\n  y"\nb: 1\n', ("a",), (1, 4, 2, 5)),
        ("a: {b: 1}\n", ("a", "nowhere", "deeper"), (1, 4, 1, 10)),
        ("a: {b: 1}\n", ("a", "b", "deeper"), (1, 8, 1, 9)),
        ("a: [1]\n", ("a", 7), (1, 4, 1, 7)),
        ("---\n\n# c\na: 1", ("a",), (4, 4, 4, 5)),
        ("1: x\n2: y\n", (2,), (2, 4, 2, 5)),
        ("é: 1\né2: é\n", ("é2",), (2, 5, 2, 6)),
    ],
)
def test_lines_and_columns_count_characters_from_one(
    text: str, path: tuple[str | int, ...], place: tuple[int, int, int, int]
) -> None:
    assert read(text).locate(path) == Span(*place)
