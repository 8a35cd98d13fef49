"""Laws: an answer is taken exactly if it is JSON that fits the schema, in a stream as in one piece."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import SchemaMismatch
from aldo.transport import Finished, TextDelta
from tests.transport.structured_output.answering import ANY_OBJECT, KINDS, Model, answered, asking, refused
from tests.transport.structured_output.schema_language import anything, fits, questions


@given(question=questions(), kind=st.sampled_from(KINDS), indent=st.none() | st.integers(0, 2), ascii_=st.booleans())
@settings(max_examples=60)
def test_law_an_answer_is_taken_exactly_if_it_fits_the_schema(
    question: tuple[Any, Any], kind: str, indent: int | None, ascii_: bool
) -> None:
    schema, value = question
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    model = Model(text, kind=kind)
    try:
        result = model.client.chat(asking(schema))
    except SchemaMismatch as mismatch:
        assert not fits(schema, value, schema)
        assert mismatch.problems
        assert mismatch.result.text == text
        assert (model.outcomes, mismatch.result.parsed) == (["schema_mismatch"], None)
    else:
        assert fits(schema, value, schema)
        assert json.dumps(result.parsed) == json.dumps(value)
        assert (result.text, model.outcomes) == (text, ["ok"])


@given(questions())
@settings(max_examples=30)
def test_law_a_stream_takes_what_a_whole_answer_takes(question: tuple[Any, Any]) -> None:
    schema, value = question
    text = json.dumps(value)
    model = Model(text)
    handed: list[Any] = []
    try:
        handed.extend(model.client.stream(asking(schema, repairs=3)))
    except SchemaMismatch as mismatch:
        assert not fits(schema, value, schema)
        assert mismatch.result.text == text
        assert model.outcomes == ["schema_mismatch"]
    else:
        assert fits(schema, value, schema)
        last = handed.pop()
        assert isinstance(last, Finished)
        assert json.dumps(last.result.parsed) == json.dumps(value)
        assert model.outcomes == ["ok"]
    assert "".join(event.text for event in handed if isinstance(event, TextDelta)) == text
    assert len(model.wire.requests) == 1


FENCES = ["```json\n{}\n```", "```\n{}\n```", "\n ```json\n{}\n``` \n", "```json\n\n{}\n\n```", " {} ", "\n{}\n\n"]


@given(questions(), st.sampled_from(FENCES))
@settings(max_examples=30)
def test_law_a_fence_and_white_space_around_an_answer_change_nothing(question: tuple[Any, Any], fence: str) -> None:
    schema, value = question
    try:
        result = answered(schema, fence.replace("{}", json.dumps(value)))
    except SchemaMismatch as mismatch:
        assert mismatch.problems
        assert not fits(schema, value, schema)
    else:
        assert json.dumps(result.parsed) == json.dumps(value)
        assert fits(schema, value, schema)


AROUND = ["Here you are: {}", "{} I hope this helps.", "```json\n{}", "{}\n```", "```json\n{}\n``` Done.", "{}{}", "{},", "// {}\n{}", "<think>x</think>{}"]  # fmt: skip


@given(value=anything, around=st.sampled_from(AROUND))
@settings(max_examples=20)
def test_law_text_around_json_is_no_json_for_the_answer_was_to_be_json_alone(value: Any, around: str) -> None:
    text = around.replace("{}", json.dumps([value]))
    assert refused({}, text).problems == ()


WORDS = ["true", "null", "NaN", "Infinity", '"a":', "```json\n", "\n```", "\ud800", "\x00", "é"]
fragments = st.lists(st.sampled_from([*'{}[]",:0123456789.-+eE \n\t\\/ub', *WORDS]), max_size=12).map("".join)


@given(fragments | st.text(max_size=10), st.sampled_from([{}, ANY_OBJECT, {"type": "number"}, {"uniqueItems": True}]))
@settings(max_examples=60)
def test_law_whatever_the_model_says_the_outcome_is_json_of_the_schema_or_a_mismatch(text: str, schema: Any) -> None:
    try:
        result = answered(schema, text)
    except SchemaMismatch:
        return
    assert json.loads(result.text.strip().removeprefix("```json").strip("`")) == result.parsed
