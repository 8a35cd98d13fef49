"""An error tells where an answer does not fit and nothing of the answer or the prompt."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import AldoError, SchemaMismatch
from aldo.schema.usage import UsageRow
from tests.support.bound import PROMPT
from tests.transport.structured_output.answering import Model, asking, refused

ANSWER = "quagga-5 is the word"


def everything(error: BaseException, rows: Sequence[UsageRow], log: str) -> str:
    """All that is printed, logged or kept of a failure, but for the answer that it carries on purpose."""
    told = [str(error), repr(error), *map(str, error.args), "".join(traceback.format_exception(error)), log]
    if isinstance(error, AldoError):
        told.append(json.dumps(error.to_dict()))
    return " ".join([*told, *(row.to_json() for row in rows), repr(list(rows))])


SPILLS: dict[str, tuple[Any, Any]] = {
    "no JSON": ({}, ANSWER),
    "a type": ({"type": "integer"}, json.dumps(ANSWER)),
    "a type within": ({"items": {"items": {"type": "null"}}}, json.dumps([[ANSWER]])),
    "const": ({"const": 1}, json.dumps([ANSWER])),
    "enum": ({"enum": [1, 2]}, json.dumps({"a": ANSWER})),
    "a name too much": ({"additionalProperties": False}, json.dumps({ANSWER: 1})),
    "a name of no shape": ({"propertyNames": {"maxLength": 2}}, json.dumps({ANSWER: 1})),
    "a length": ({"maxLength": 1}, json.dumps(ANSWER)),
    "a pattern": ({"pattern": "^x$"}, json.dumps(ANSWER)),
    "twice the same": ({"uniqueItems": True}, json.dumps([ANSWER, ANSWER])),
    "too many": ({"maxItems": 0}, json.dumps([ANSWER])),
    "contains": ({"contains": {"const": 1}}, json.dumps([ANSWER])),
    "not": ({"not": {}}, json.dumps(ANSWER)),
    "any of": ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, json.dumps(ANSWER)),
    "one of": ({"oneOf": [{}, True]}, json.dumps(ANSWER)),
    "false": ({"items": False}, json.dumps([ANSWER])),
    "unevaluated": ({"unevaluatedProperties": False}, json.dumps({ANSWER: 1})),
    "a dependency": ({"dependentRequired": {"a": ["b"]}}, json.dumps({"a": ANSWER})),
    "a refusal": ({}, {"message": {"content": "", "refusal": ANSWER}, "finish_reason": "stop"}),
    "the prompt itself": ({"type": "integer"}, json.dumps(PROMPT)),
    "half of it": ({}, {"message": {"content": '{"a": "' + ANSWER}, "finish_reason": "length"}),
}


@pytest.mark.parametrize("way", ["chat", "stream"])
@pytest.mark.parametrize("name", SPILLS)
def test_an_error_holds_nothing_of_the_answer_and_nothing_of_the_prompt(
    name: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    schema, answer = SPILLS[name]
    _holds_nothing(schema, answer, way, caplog)


@pytest.mark.parametrize(
    "schema",
    [{"additionalProperties": {"type": "integer"}}, {"patternProperties": {"": {"type": "integer"}}}],
)
def test_a_name_that_the_model_made_up_is_a_part_of_its_answer(schema: Any, caplog: pytest.LogCaptureFixture) -> None:
    _holds_nothing(schema, json.dumps({ANSWER: "x"}), "chat", caplog)


def _holds_nothing(schema: Any, answer: Any, way: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    model = Model(answer)
    request = replace(asking(schema), messages=({"role": "user", "content": PROMPT},))
    with pytest.raises(SchemaMismatch) as caught:
        list(model.client.stream(request)) if way == "stream" else model.client.chat(request)
    told = everything(caught.value, model.rows, caplog.text)
    for secret in ("quagga", "Zebra-7", "launch code", "крокодил", "0042"):
        assert secret not in told
        assert json.dumps(secret)[1:-1] not in told


def test_a_mismatch_says_where_and_what_was_asked_for() -> None:
    schema = {"properties": {"list": {"items": {"properties": {"size": {"maximum": 5}}}}}, "required": ["name"]}
    mismatch = refused(schema, '{"list": [{"size": 3}, {"size": 9}]}')
    assert "/list/1/size" in str(mismatch)
    assert "maximum 5" in str(mismatch)
    assert "required" in str(mismatch)
    assert mismatch.to_dict()["problems"] == list(mismatch.problems)


@given(st.integers(1, 60))
@settings(max_examples=10)
def test_a_mismatch_stays_short_however_much_is_wrong(wrong: int) -> None:
    mismatch = refused({"items": {"type": "integer", "enum": list(range(500))}}, json.dumps(["x"] * wrong))
    assert 1 <= len(mismatch.problems) <= 5
    assert len(str(mismatch)) < 1000
