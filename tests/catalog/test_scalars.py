"""Scalars are read by YAML 1.2's core schema, and every document as ruamel.yaml reads it."""

from __future__ import annotations

import datetime
import io
import random
import re
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.support.reading import errors_in, read, ruamel_or_none, ruamel_value, value_of
from tests.support.yaml_values import PLAIN, TAGGED, same
from tests.support.yaml_writer import Writer

INF = float("inf")
CORE: tuple[tuple[str, Any], ...] = (
    *((text, None) for text in ("null", "Null", "NULL", "~", "", "# nothing")),
    *((text, True) for text in ("true", "True", "TRUE")),
    *((text, False) for text in ("false", "False", "FALSE")),
    *(
        (text, text)
        for text in ("nULL", "nul", "none", "None", "tRUE", "yes", "Yes", "no", "NO", "on", "OFF", "y", "N")
    ),
    *(("0", 0), ("-0", 0), ("+0", 0), ("00", 0), ("017", 17), ("08", 8), ("-09", -9), ("+12", 12)),
    *(("0o17", 15), ("0o0", 0), ("0x1F", 31), ("0xfF", 255), ("9" * 60, int("9" * 60))),
    *((text, text) for text in ("0O17", "0X1F", "-0x1F", "+0o7", "0o8", "0o", "0x", "0xg", "0b11", "1_000", "1_0.5")),
    *(("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("-.5", -0.5), ("+.5", 0.5), ("-0.0", -0.0), ("007.5", 7.5)),
    *(("1e3", 1000.0), ("1E3", 1000.0), ("1e+3", 1000.0), ("1.e3", 1000.0), ("12e03", 12000.0), ("1e-2", 0.01)),
    *((".inf", INF), (".Inf", INF), ("+.INF", INF), ("-.inf", -INF), (".nan", float("nan")), (".NAN", float("nan"))),
    *(
        (text, text)
        for text in (".iNF", "inf", "Inf", "nan", "-.nan", "+.nan", ".nAn", ".", "..", "+", ".e3", "1e", "1e+")
    ),
    *(
        (text, text)
        for text in ("22:30", "1:30:30", "190:20:30.15", "1.2.3", "1,2", "--1", "+-1", "1-2", "1 2", "٣", "１")
    ),
    *((text, text) for text in ("2026-11-22", "2026-11-22T10:00:00Z", "<<", "=")),
    *(('"1"', "1"), ("'null'", "null"), ('"true"', "true"), ("''", ""), ('""', ""), ("'it''s'", "it's")),
    *((r'"\x41\u00e9\U0001F600\t\e\/\N\_"', "Aé😀\t\x1b/\x85\xa0"), ('"a\n   b"', "a b"), ('"a\\\n   b"', "ab")),
    *(("|\n  1\n", "1\n"), ("|-\n  null\n", "null"), (">-\n  a\n  b\n\n  c\n", "a b\nc"), ("|+\n  a\n", "a\n\n")),
    *(("|2\n    a\n", "  a\n"), (">-\n  a\n    b\n  c\n", "a\n  b\nc"), ("&x 1", 1)),
    *(
        ("!!int '3'", 3),
        ("!!int 0o17", 15),
        ("!!float 1", 1.0),
        ("!!str", ""),
        ("!!str null", "null"),
        ("!!null ''", None),
    ),
    *(("!!bool TRUE", True), ("!<tag:yaml.org,2002:str> 1", "1"), ("!!seq [1]", [1]), ("!!map {a: 1}", {"a": 1})),
)
UTC = datetime.timezone.utc  # noqa: UP017 -- ruamel.yaml's own zone compares equal to it
DISAGREEMENTS: tuple[tuple[str, Any, Any], ...] = (
    (".5e3", 500.0, ".5e3"),
    ("-.0E0", -0.0, "-.0E0"),
    ("1_000", "1_000", 1000),
    ("1_", "1_", 1),
    ("1_0.5", "1_0.5", 10.5),
    ("0x_1", "0x_1", 1),
    ("0b11", "0b11", 3),
    ("-0x1F", "-0x1F", -31),
    ("+0o7", "+0o7", 7),
    ("2026-11-22", "2026-11-22", datetime.date(2026, 11, 22)),
    ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z", datetime.datetime(2026, 11, 22, 10, tzinfo=UTC)),
    ("2026-11-22 10:00:00", "2026-11-22 10:00:00", datetime.datetime(2026, 11, 22, 10)),
)
"""Text, our reading (YAML 1.2 core), ruamel.yaml's reading (YAML 1.1 habits)."""
ODD_FORMS = re.compile(
    r"[-+]?[0-9.][0-9a-fA-FxXob.+-]*_.*|[-+]_.*|[-+]?0b[01]+|[-+]0[xo].*|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
    r"|[-+]?\.[0-9]+[eE][0-9]+|<<|="
)
"""Every plain scalar that ruamel.yaml reads in its own way has one of these forms."""


def odd(text: str) -> bool:
    """Whether the libraries differ: the forms above, and a plain word that begins with a colon in flow style."""
    return bool(ODD_FORMS.match(text)) or text.startswith(":")


SOUP = st.text("0123456789+-._:eExXobnaNtrulfTRUEFALS~,", min_size=1, max_size=8)
NUMBERS = st.from_regex(r"\A[-+]?(0[xob])?[0-9]{0,3}\.?[0-9]{0,3}([eE][-+]?[0-9]{0,2})?\Z")
WORDS = st.sampled_from([text for text, _ in PLAIN]).flatmap(
    lambda word: st.sampled_from((word, word + "x", word[:-1]))
)
PRINTABLE = st.characters(exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\x85\u2028\u2029\ufeff")
TEXTS = st.one_of(
    st.text(PRINTABLE, max_size=30), SOUP, st.sampled_from(["a\nb", "a\n\nb\n", " x", "x ", "\t", "a: b", "'\""])
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS.filter(lambda text: not odd(text)))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(PRINTABLE, max_size=12).filter(lambda text: not odd(text)), inner, max_size=4),
    ),
    max_leaves=12,
)
LAYOUTS = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from((None, True, False)),
        "default_style": st.sampled_from((None, None, None, "'", '"', "|", ">")),
        "width": st.sampled_from((10, 80, 1000)),
        "indent": st.sampled_from((2, 4, 7)),
        "allow_unicode": st.booleans(),
        "explicit_start": st.booleans(),
        "line_break": st.sampled_from(("\n", "\r\n", "\r")),
    }
)


@pytest.mark.parametrize(("text", "value"), CORE)
def test_a_scalar_has_the_value_of_the_core_schema(text: str, value: Any) -> None:
    assert same(value_of(f"- {text}\n"), [value])
    assert same(value_of(f"k: {text}\n"), {"k": value})


@pytest.mark.parametrize(("text", "value"), [pair for pair in (*PLAIN, *TAGGED) if pair[0][0] not in "-?:"])
def test_a_scalar_has_the_same_value_in_flow_and_as_a_key(text: str, value: Any) -> None:
    assert same(value_of(f"[{text}]"), [value])
    if value == value:
        assert same(value_of(f"{text} : 1"), {value: 1})


@pytest.mark.parametrize(("text", "ours", "theirs"), DISAGREEMENTS)
def test_the_known_disagreements_with_ruamel_still_stand(text: str, ours: Any, theirs: Any) -> None:
    assert ODD_FORMS.match(text)
    assert same(value_of(f"- {text}\n"), [ours])
    assert ruamel_value(f"- {text}\n") == [theirs] != [ours]


def test_a_merge_key_is_a_plain_key_for_us_and_an_operation_for_ruamel() -> None:
    text = "base: &b {a: 1}\nother: {<<: *b, c: 2}\n"
    assert value_of(text)["other"] == {"<<": {"a": 1}, "c": 2}
    assert ruamel_value(text)["other"] == {"a": 1, "c": 2}


def test_a_yaml_1_1_directive_changes_ruamel_only() -> None:
    text = "%YAML 1.1\n---\n- NO\n- 017\n- 22:30\n"
    assert value_of(text) == ["NO", 17, "22:30"]
    assert ruamel_value(text) == [False, 15, 1350]


@pytest.mark.parametrize(("text", "value"), [("12", "12"), ('"1"', "1"), ("'null'", "null"), ("", "")])
def test_the_tag_of_a_lone_exclamation_mark_makes_a_string(text: str, value: str) -> None:
    """YAML 1.2 section 6.9.1 and its example 6.28; ruamel.yaml reads `! 12` as 12."""
    assert value_of(f"- ! {text}\n") == [value]


@pytest.mark.parametrize("text", ["!!map [1]", "!!seq {a: 1}", "!!str [1]", "!!map x", "!!seq x", "!!int {}"])
def test_a_tag_that_contradicts_its_node_is_a_finding(text: str) -> None:
    assert [finding.code for finding in read(f"k: {text}\n").findings] == ["AL112"]


@settings(deadline=None, max_examples=600)
@given(st.one_of(SOUP, NUMBERS, WORDS).filter(bool))
def test_a_random_plain_scalar_is_read_as_ruamel_reads_it(text: str) -> None:
    assume(not ODD_FORMS.fullmatch(text))
    readable, theirs = ruamel_or_none(f"k: {text}\n")
    document = read(f"k: {text}\n")
    assert readable == (not errors_in(document))
    assert not readable or same(document.value, theirs)


@settings(deadline=None, max_examples=300)
@given(st.randoms(use_true_random=False))
def test_a_document_written_by_hand_is_read_as_written_and_as_ruamel_reads_it(rng: random.Random) -> None:
    writer = Writer(rng)
    written = writer.document()
    assert same(value_of(writer.text), written)
    assert same(ruamel_value(writer.text), written)


@settings(deadline=None, max_examples=250)
@given(VALUES, LAYOUTS)
def test_what_pyyaml_dumps_is_read_as_ruamel_reads_it(value: Any, layout: dict[str, Any]) -> None:
    text = yaml.safe_dump([value, {"after": 1}], **layout)
    assert same(value_of(text), ruamel_value(text))


@settings(deadline=None, max_examples=200)
@given(VALUES, st.booleans(), st.sampled_from((80, 1000)), st.booleans())
def test_what_ruamel_dumps_is_read_as_ruamel_reads_it(value: Any, flow: bool, width: int, unicode: bool) -> None:
    """Not at narrow widths: there ruamel.yaml breaks plain keys over two lines, which is no YAML."""
    dumper = YAML(typ="safe", pure=True)
    vars(dumper).update(
        default_flow_style=flow, width=width, allow_unicode=unicode, sort_base_mapping_type_on_output=False
    )
    stream = io.StringIO()
    dumper.dump([value, {"after": 1}], stream)
    assert same(value_of(stream.getvalue()), ruamel_value(stream.getvalue()))


@pytest.mark.parametrize("text", ["[:0]", "[a, :b]", "{k: :0}", "[::]"])
def test_a_colon_that_begins_a_word_in_flow_style_is_refused_with_its_place(text: str) -> None:
    """YAML 1.2 allows it and ruamel.yaml reads it; libyaml does not. Refused is better than misread."""
    ruamel_value(text)
    (finding,) = read(text).findings
    assert finding.code == "AL101"
    assert finding.span is not None
    assert abs(finding.span.column - 1 - text.index(":", 1 + (text[0] == "{") * 2)) <= 1


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"], ids=["NEL", "LS", "PS"])
@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("# a comment{}a: 1\nb: 2\n", {"b": 2}),
        ("a: x{}b: y\n", None),
        ("a: 1 # why{}b: 2\n", {"a": 1}),
        ("- a{}- b\n", ["a{}- b"]),
    ],
)
def test_only_lf_and_cr_end_a_line(template: str, value: Any, separator: str) -> None:
    """YAML 1.2 section 5.4: NEL, LS and PS are no line breaks, so what follows them is no new line."""
    document = read(template.format(separator))
    expected = [item.format(separator) for item in value] if isinstance(value, list) else value
    assert errors_in(document) or (value is not None and same(document.value, expected))
