"""What is no answer: no JSON, cut, refused, filtered, or more than can be checked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aldo.errors import AldoError, SchemaMismatch
from aldo.transport import ChatRequest
from tests.support.bound import USER
from tests.transport.structured_output.answering import ANY_OBJECT, Model, answered, asking, refused


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("around", ["{}", "[{}]", '{"a": {}}', '{"a": [1, {}]}'])
def test_what_python_takes_for_a_number_and_json_does_not_is_no_json(word: str, around: str) -> None:
    assert "no JSON" in str(refused({}, around.replace("{}", word)))


@pytest.mark.parametrize("text", ["1e999", "-1e999", '{"a": [1e999]}'])
def test_what_is_taken_can_be_written_as_json_again(text: str) -> None:
    try:
        result = answered({}, text)
    except SchemaMismatch:
        return
    json.dumps(result.parsed, allow_nan=False)


def test_of_two_equal_names_the_one_that_was_checked_is_the_one_that_is_given() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    for text in ('{"a": "x", "a": 1}', '{"a": 1, "a": "x"}', '{"a": 1, "a": 2}'):
        try:
            parsed = answered(schema, text).parsed
        except SchemaMismatch:
            continue
        assert type(parsed["a"]) is int
        assert text != '{"a": 1, "a": "x"}'  # others read the last one, and it does not fit


@pytest.mark.parametrize("repairs", [0, 3])
@pytest.mark.parametrize("text", ['{"a": 1', '{"a": "x', "[1, 2", "", "```json\n{", '"'])
def test_an_answer_that_was_cut_says_so_and_is_not_sent_back(text: str, repairs: int) -> None:
    model = Model({"message": {"content": text}, "finish_reason": "length"})
    with pytest.raises(SchemaMismatch, match="cut at max_tokens") as caught:
        model.client.chat(asking({}, repairs))
    assert caught.value.result.finish_reason == "length"
    assert model.outcomes == ["schema_mismatch"]


def test_an_answer_that_is_whole_at_the_last_token_is_taken() -> None:
    assert answered({}, {"message": {"content": '{"a": 1}'}, "finish_reason": "length"}).parsed == {"a": 1}


@pytest.mark.parametrize("text", ["12", "-1", "0.5", "1e3"])
def test_a_number_that_max_tokens_may_have_cut_is_not_taken(text: str) -> None:
    refused({"type": "number"}, {"message": {"content": text}, "finish_reason": "length"})


@pytest.mark.parametrize("repairs", [0, 2])
@pytest.mark.parametrize("text", [None, ""])
def test_a_refusal_is_told_as_one_and_not_sent_back(text: str | None, repairs: int) -> None:
    model = Model({"message": {"content": text, "refusal": "I would rather not, Zanzibar."}, "finish_reason": "stop"})
    with pytest.raises(SchemaMismatch, match="refused") as caught:
        model.client.chat(asking({}, repairs))
    assert caught.value.result.refusal == "I would rather not, Zanzibar."
    assert "Zanzibar" not in str(caught.value) + json.dumps(caught.value.to_dict())
    assert model.outcomes == ["schema_mismatch"]


@pytest.mark.parametrize("way", ["chat", "stream"])
def test_tool_calls_instead_of_text_are_not_held_against_the_schema(way: str) -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    model = Model({"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"})
    request = asking({"type": "array"}, repairs=2)
    result = model.client.chat(request) if way == "chat" else list(model.client.stream(request))[-1].result  # type: ignore[union-attr]
    assert (result.parsed, result.tool_calls[0].arguments, model.outcomes) == (None, {"x": 1}, ["ok"])


def test_a_filtered_answer_is_a_mismatch() -> None:
    mismatch = refused({}, {"message": {"content": ""}, "finish_reason": "content_filter"}, repairs=2)
    assert mismatch.result.finish_reason == "content_filter"


@pytest.mark.parametrize("text", ["[]", "1", '"x"', "null", "true", "{", ""])
def test_json_object_asks_for_an_object(text: str) -> None:
    refused(ANY_OBJECT, text)
    assert answered(ANY_OBJECT, '{"a": []}').parsed == {"a": []}


def test_plain_text_is_asked_for_by_its_name_too() -> None:
    request = ChatRequest(messages=(USER,), response_format={"type": "text"})
    assert Model("no JSON").client.chat(request).parsed is None


DEEP = "[" * 900 + "]" * 900
NEVER_ENDS = {"$ref": "#"}
TREE = {"type": "array", "items": {"$ref": "#"}}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        pytest.param(TREE, DEEP, id="RecursionError of a deep answer"),
        pytest.param(NEVER_ENDS, "1", id="RecursionError of a schema that refers to itself"),
        pytest.param({"multipleOf": 0.5}, "1" + "0" * 400, id="OverflowError of a large number"),
        pytest.param({"multipleOf": 0.1}, "1e999", id="OverflowError of infinity"),
    ],
)
def test_a_check_that_cannot_be_done_is_our_error_and_leaves_a_row(schema: Any, text: str) -> None:
    model = Model(text)
    with pytest.raises(AldoError):
        model.client.chat(asking(schema))
    assert len(model.rows) == len(model.wire.requests)
