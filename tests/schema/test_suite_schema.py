"""The published JSON Schema of suites and the types agree on what a suite is."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.validators import validator_for
from pydantic import ValidationError

from aldo.schema.published import json_schema
from aldo.schema.suite import BUILT_IN, Suite

SCHEMA = json_schema("suite")
VALIDATOR = validator_for(SCHEMA)(SCHEMA)

EVALUATORS: dict[str, dict[str, Any]] = {
    "contains": {"ref": ["x"], "match": "any", "ignore_case": True, "tags": ["t"]},
    "not-contains": {"ref": "x", "tags": "t"},
    "regex": {"ref": ["x"], "match": "all"},
    "exact": {"ignore_case": False},
    "json-schema": {"schema": {"type": "object"}},
    "llm-judge": {"capability_class": "c", "rubric": "r", "choices": {"a": 1, "b": 0.5}, "max_tokens": 3},
    "script": {"command": ["x", "y"], "timeout": 1.5, "max_output": 3},
    "of-the-house": {"ref": {"any": [1]}, "options": {"a": 1}},
}
FIELDS = sorted({name for fields in EVALUATORS.values() for name in fields} | {"name", "type", "unknown"})
JUNK = st.sampled_from([
    None, True, False, 0, 1, -1, 2, 0.5, 1.0, 1.5, 1e9, "", "x", "1", "true", "a b", "x" * 201, [], ["x"], [""], [1],
    {}, {"a": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 1}, {"": 1, "b": 1}, {"a": True, "b": 0}, [["x"]], "any", "contains",
    "llm-judge", ["x", "y"],
])  # fmt: skip


def suite() -> dict[str, Any]:
    evaluators = [{"name": f"e-{kind}", "type": kind, **fields} for kind, fields in EVALUATORS.items()]
    return copy.deepcopy({
        "version": 1, "schema": "aldo-ai/eval.v1",
        "suite": {
            "name": "s", "description": "d", "max_tokens": 5, "temperature": 0.5, "top_p": 1,
            "cases": [{"id": "a", "input": "q", "ground_truth": {"any": [1]}, "tags": ["t"], "source": "s"}, {"input": "q"}],
            "evaluators": evaluators, "threshold": {"e-exact": 1},
        },
    })  # fmt: skip


def accepted(value: Any) -> bool:
    try:
        Suite.model_validate(value, by_alias=True, by_name=False)
    except ValidationError:
        return False
    return True


def test_both_accept_a_suite_with_everything() -> None:
    assert set(EVALUATORS) > set(BUILT_IN)
    assert accepted(suite())
    assert VALIDATOR.is_valid(suite())


@settings(max_examples=600)
@given(st.data())
def test_schema_and_types_agree_on_every_change(data: st.DataObject) -> None:
    value = suite()
    mappings = [
        value,
        value["suite"],
        *value["suite"]["cases"],
        *value["suite"]["evaluators"],
        value["suite"]["threshold"],
    ]
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(mappings))
        name = data.draw(
            st.sampled_from([*place, *place, "unknown", *(FIELDS if "type" in place else ["cases_dataset"])])
        )
        if name in place and data.draw(st.integers(0, 3)) == 0:
            del place[name]
        else:
            place[name] = data.draw(JUNK)
    assert VALIDATOR.is_valid(value) == accepted(value), value


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({"cases": None}, False),
        ({"cases": None, "cases_dataset": "c.csv"}, True),
        ({"cases_dataset": "c.csv"}, False),
        ({"cases_dataset": None}, True),
        ({"cases": []}, False),
        ({"evaluators": []}, False),
        ({"temperature": True}, False),
        ({"temperature": "1"}, False),
        ({"max_tokens": 5.0}, True),
        ({"max_tokens": "5"}, False),
        ({"threshold": {"no name": 1}}, False),
        ({"evaluators": [{"name": "a", "type": "contains", "options": {}}]}, False),
        ({"evaluators": [{"name": "a", "type": "contains", "ref": []}]}, False),
        ({"evaluators": [{"name": "a", "type": "contains", "ref": ""}]}, False),
        ({"evaluators": [{"name": "a", "type": "json-schema", "schema": True}]}, True),
        ({"evaluators": [{"name": "a", "type": "json-schema", "schema": None, "ref": "a.json"}]}, True),
        ({"evaluators": [{"name": "a", "type": "json-schema", "schema": {}, "ref": "a.json"}]}, False),
    ],
    ids=str,
)
def test_both_say_the_same_of_what_is_easily_said_apart(change: dict[str, Any], holds: bool) -> None:
    value = suite()
    value["suite"] |= change
    assert (VALIDATOR.is_valid(value), accepted(value)) == (holds, holds)
