"""Evaluators that look at the text alone: contains, not-contains, exact, regex and json-schema."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.catalog.suites import load_suite
from aldo.errors import CatalogError
from tests.eval.playing import Bench, grade

STRANGE = ["\0", "a\0b", "\ud800", "x\udfff", "😀 família", "ß", "İ", "\u2028", "\r\n", "", " ", "\x1b[31m"]
answers = st.one_of(st.text(st.characters()), st.sampled_from(STRANGE), st.text("ab \n", max_size=8))
refs = st.lists(st.text("abAB ", min_size=1, max_size=3) | st.sampled_from(["😀", "ß", "ß\0"]), min_size=1, max_size=4)
matches = st.sampled_from(["any", "all"])
OBJECT = {
    "type": "json-schema",
    "schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}}},
}


def holds(evaluator, answer, truth=None):
    """True or false; anything but the two states with their scores fails."""
    found = grade(evaluator, answer, truth)
    assert (found.state, found.score) in (("ok", 1.0), ("fail", 0.0)), found
    return found.state == "ok"


@given(answers, refs, matches, st.booleans())
def test_not_contains_is_the_negation_of_contains(answer, ref, match, ignore_case):
    rule = {"ref": ref, "match": match, "ignore_case": ignore_case}
    assert holds({"type": "contains"} | rule, answer) != holds({"type": "not-contains"} | rule, answer)


@given(answers, refs)
def test_contains_any_and_all_are_or_and_and(answer, ref):
    each = [one in answer for one in ref]
    assert holds({"type": "contains", "ref": ref}, answer) == any(each)
    assert holds({"type": "contains", "ref": ref, "match": "all"}, answer) == all(each)


@given(answers, refs, matches)
def test_contains_without_case_knows_no_case(answer, ref, match):
    rule = {"type": "contains", "ref": ref, "match": match, "ignore_case": True}
    assert holds(rule, answer) == holds(rule | {"ref": [one.casefold() for one in ref]}, answer.casefold())


def test_case_counts_unless_it_is_ignored():
    assert not holds({"type": "contains", "ref": "paris"}, "Paris")
    assert holds({"type": "contains", "ref": "paris", "ignore_case": True}, "PARIS")
    assert not holds({"type": "exact", "ref": "paris"}, "Paris")
    assert holds({"type": "exact", "ref": "paris", "ignore_case": True}, "PARIS")
    assert not holds({"type": "regex", "ref": "^paris$"}, "Paris")
    assert holds({"type": "regex", "ref": "^paris$", "ignore_case": True}, "PARIS")


@given(st.sampled_from(["contains", "not-contains", "exact"]), answers, refs, matches, st.booleans())
def test_a_ref_and_a_ground_truth_of_the_same_texts_judge_alike(kind, answer, ref, match, ignore_case):
    rule = {"type": kind, "match": match, "ignore_case": ignore_case}
    by_ref = holds(rule | {"ref": ref}, answer, truth="something else")
    assert by_ref == holds(rule, answer, truth=ref)
    if len(ref) == 1:
        assert by_ref == holds(rule, answer, truth=ref[0])


@pytest.mark.parametrize("kind", ["contains", "not-contains", "exact", "regex"])
@pytest.mark.parametrize("truth", [None, [], {"a": "b"}, 7])
def test_no_ground_truth_is_an_error_and_never_a_pass(kind, truth):
    found = grade({"type": kind}, "anything", truth)
    assert (found.state, found.score) == ("error", None)


@given(st.text(" \t\r\n", max_size=4), st.text("ab c", min_size=1, max_size=5), st.text(" \t\r\n", max_size=4))
def test_exact_strips_white_space_around_and_nothing_inside(before, text, after):
    rule = {"type": "exact", "ref": text}
    assert holds(rule, before + text + after)
    assert not holds(rule, f"{before}{text}x{after}")
    assert not holds({"type": "exact", "ref": "a b"}, f"{before}a  b{after}")


@given(answers, st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=4))
def test_a_quoted_pattern_matches_where_the_text_is_contained(answer, text):
    assert holds({"type": "regex", "ref": re.escape(text)}, answer) == holds({"type": "contains", "ref": text}, answer)


@given(
    st.text("ab\n", max_size=8), st.sampled_from(["a+b", "^a", "b$", "^(ab)*$", "a{2,3}", "[^a\n]", "a|b{2}", r"\Ab"])
)
def test_patterns_mean_what_they_mean_elsewhere(answer, pattern):
    # `$` of RE2 is the end of the text alone; Python's also stands before a last line end.
    expected = re.search(pattern.replace("$", r"\Z"), answer) is not None
    assert holds({"type": "regex", "ref": pattern}, answer) == expected


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "^(a*)*$", "(.*a){12}$", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_pattern_that_hangs_other_engines_ends(pattern):
    assert not holds({"type": "regex", "ref": pattern}, "a" * 50_000 + "!")


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", r"(a)\1", "(", "a{5000}", "*a"])
def test_a_pattern_that_is_not_for_re2_is_refused_when_the_suite_is_loaded(tmp_path, pattern):
    bench = Bench(tmp_path).suite(evaluators=[{"name": "r", "type": "regex", "ref": ["fine", pattern]}])
    with pytest.raises(CatalogError) as refused:
        load_suite(bench.folder / "suite.yaml")
    (finding,) = refused.value.findings
    assert finding.span is not None
    assert finding.pointer.endswith("/evaluators/0/ref/1")


def test_a_pattern_in_a_ground_truth_is_looked_at_when_the_suite_is_loaded(tmp_path):
    cases = [{"id": "a", "input": "x", "ground_truth": "fine"}, {"id": "b", "input": "x", "ground_truth": "(?=a)"}]
    bench = Bench(tmp_path).suite(cases, [{"name": "r", "type": "regex"}])
    with pytest.raises(CatalogError) as refused:
        load_suite(bench.folder / "suite.yaml")
    assert [one.pointer for one in refused.value.findings] == ["/suite/cases/1/ground_truth"]


@pytest.mark.parametrize("kind", ["contains", "not-contains", "exact", "regex"])
@pytest.mark.parametrize("answer", [*STRANGE, "x" * 1_000_000, "😀" * 250_000], ids=lambda text: ascii(text[:6]))
def test_no_text_is_too_strange_to_be_graded(kind, answer):
    assert holds({"type": kind, "ref": "needle"}, answer) == (kind == "not-contains")
    assert holds({"type": "contains", "ref": "needle"}, f"{answer}needle")
    assert holds({"type": "regex", "ref": "needle$"}, f"{answer}needle")


@settings(max_examples=40)
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text("a{}[]`\n", max_size=4), st.lists), st.booleans()
)
def test_json_is_taken_for_what_it_is_with_a_fence_or_without(value, fenced):
    text = json.dumps(value, indent=1)
    text = f"```json\n{text}\n```\n" if fenced else f"\n {text} \n"
    assert holds({"type": "json-schema", "schema": {"const": value}}, text)
    assert not holds({"type": "json-schema", "schema": {"not": {}}}, text)


@pytest.mark.parametrize(
    "fence",
    [
        "```",
        "```json",
        "```JSON",
    ],
)
def test_a_code_fence_does_not_count(fence):
    assert holds(OBJECT, f'{fence}\n{{"a": 1}}\n```')


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"a": 1', "{'a': 1}", '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": 1e999}', '{"a": 1,}',
     'Sure: {"a": 1}', '{"a": 1} {"a": 1}', "null", "[]", "{}", '{"a": "1"}', '{"a": true}', "\0", "\ud800", '```json\n{"a": 1}'],
)  # fmt: skip
def test_what_is_no_json_or_does_not_fit_fails(text):
    assert not holds(OBJECT, text)


def test_of_a_key_that_stands_twice_the_last_value_holds():
    assert holds(OBJECT, '{"a": "x", "a": 1}')
    assert not holds(OBJECT, '{"a": 1, "a": "x"}')


@pytest.mark.parametrize(
    "text", ["[" * 200_000, "[" * 200_000 + "]" * 200_000, '{"a":' * 50_000 + "1" + "}" * 50_000, "9" * 1_000_000]
)
def test_nesting_and_digits_without_end_fail_and_break_nothing(text):
    assert not holds(OBJECT, text)
    assert not holds({"type": "json-schema", "schema": {"type": "string"}}, text)


@given(st.text(st.sampled_from('{}[]",:a1.eE-+ntfu\\`\n\ud800'), max_size=30))
def test_any_text_fits_or_does_not(text):
    holds(OBJECT, text)
    holds({"type": "json-schema", "schema": True}, text)


def test_a_schema_that_leads_nowhere_is_an_error_and_not_a_fail():
    found = grade({"type": "json-schema", "schema": {"$ref": "https://schemas.invalid/nothing.json"}}, "{}")
    assert (found.state, found.score) == ("error", None)
