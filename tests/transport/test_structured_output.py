"""Structured output: what comes back fits the schema, whatever the server made of the field; errors tell no secrets."""

from __future__ import annotations

import json
import logging
import math
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import AldoError, SchemaMismatch, UsageError
from aldo.schema.usage import UsageRow
from aldo.transport import ChatRequest, ChatResult, Finished, ModelClient, Retry, TextDelta, json_schema_format
from tests.support.bound import COMPLETION, PROMPT, USER, Wire, bind, entry
from tests.support.fake_server import FakeServer

KINDS = ["openai-compat", "mlx"]
ANY_OBJECT = {"type": "json_object"}


class Model:
    """A client whose model gives these answers in turn; the last one stays. An answer is a text or a whole choice."""

    def __init__(self, *answers: Any, kind: str = "openai-compat", **more: Any) -> None:
        self.rows: list[UsageRow] = []
        self._answers = answers
        self.wire = Wire(self._answer)
        model = entry(kind, {"baseUrl": "http://x"})
        self.client: ModelClient = bind(model, http=self.wire, on_usage=self.rows.append, **more)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self._answers[min(len(self.wire.requests), len(self._answers)) - 1]
        if isinstance(answer, httpx.Response):
            return answer
        choice = answer if isinstance(answer, dict) else {"message": {"content": answer}, "finish_reason": "stop"}
        if not json.loads(request.content)["stream"]:
            return httpx.Response(200, text=json.dumps({**COMPLETION, "choices": [choice]}))
        pieces = [{"choices": [{"delta": {"content": c}}]} for c in choice["message"].pop("content", None) or ""]
        chunks = [*pieces, {"choices": [{"delta": choice["message"], "finish_reason": choice["finish_reason"]}]}]
        return httpx.Response(200, text="".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks))

    @property
    def outcomes(self) -> list[str]:
        return [row.outcome for row in self.rows]


def asking(schema: Any, repairs: int = 0, **more: Any) -> ChatRequest:
    wanted = json_schema_format(schema) if schema is not ANY_OBJECT else ANY_OBJECT
    return ChatRequest(messages=(USER,), max_tokens=8, response_format=wanted, repairs=repairs, **more)


def answered(schema: Any, *answers: Any, repairs: int = 0, **more: Any) -> ChatResult:
    return Model(*answers, **more).client.chat(asking(schema, repairs))


def refused(schema: Any, *answers: Any, **more: Any) -> SchemaMismatch:
    with pytest.raises(SchemaMismatch) as caught:
        answered(schema, *answers, **more)
    assert caught.value.exit_code == 1
    return caught.value


# A small language of schemas, with a judge of its own

leaves = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 2.0, -1.5]) | st.text("ab é", max_size=3)
)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def same(one: Any, other: Any) -> bool:
    """As JSON Schema counts: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) in (int, float, str, type(None)) and one == other


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: is_number(v) and float(v).is_integer(),
    "number": is_number,
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


def fits(schema: Any, value: Any, root: Any) -> bool:
    """The judge. Knows this language only, and nothing of jsonschema."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return fits(root["$defs"]["d"], value, root)
    checks = [
        "type" not in schema or TYPES[schema["type"]](value),
        "const" not in schema or same(schema["const"], value),
        "enum" not in schema or any(same(one, value) for one in schema["enum"]),
        "anyOf" not in schema or any(fits(one, value, root) for one in schema["anyOf"]),
        "not" not in schema or not fits(schema["not"], value, root),
    ]
    if is_number(value):
        checks += [value >= schema.get("minimum", -math.inf), value <= schema.get("maximum", math.inf)]
    if isinstance(value, str):
        checks += [schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf)]
    if isinstance(value, list):
        checks += [schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf)]
        checks += [fits(schema.get("items", True), item, root) for item in value]
    if isinstance(value, dict):
        known = schema.get("properties", {})
        other = schema.get("additionalProperties", True)
        checks += [name in value for name in schema.get("required", [])]
        checks += [fits(known.get(name, other), item, root) for name, item in value.items()]
    return all(checks)


def _types(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    bounds = st.integers(-2, 2)
    sizes = st.integers(0, 2)
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("array")}, optional={"items": inner, "minItems": sizes, "maxItems": sizes}),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3)},
            optional={
                "required": st.lists(st.sampled_from("abc"), unique=True, max_size=2),
                "additionalProperties": st.just(False) | inner,
            },
        ),
        st.fixed_dictionaries({"type": st.sampled_from(["integer", "number"])}, optional={"minimum": bounds, "maximum": bounds}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    )  # fmt: skip


plain = st.one_of(
    st.booleans(),
    st.fixed_dictionaries({"type": st.sampled_from(list(TYPES))}),
    st.fixed_dictionaries({"type": st.just("string")}, optional={"minLength": st.integers(0, 2), "maxLength": st.integers(0, 3)}),
    st.builds(lambda value: {"const": value}, anything),
    st.builds(lambda values: {"enum": values}, st.lists(leaves, min_size=1, max_size=4, unique_by=repr)),
    st.just({"$ref": "#/$defs/d"}),
)  # fmt: skip


@st.composite
def schemas(draw: st.DrawFn) -> Any:
    definition = draw(st.recursive(plain.filter(lambda s: s != {"$ref": "#/$defs/d"}), _types, max_leaves=3))
    root = draw(st.recursive(plain, _types, max_leaves=6).filter(lambda one: isinstance(one, dict)))
    return {"$defs": {"d": definition}, **root}


def instances(schema: Any, root: Any) -> st.SearchStrategy[Any]:
    """Mostly values that fit."""
    if isinstance(schema, bool):
        return anything
    if "$ref" in schema:
        return instances(root["$defs"]["d"], root)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([instances(one, root) for one in schema["anyOf"]])
    kind = schema.get("type")
    if kind == "array":
        return st.lists(instances(schema.get("items", True), root), min_size=schema.get("minItems", 0), max_size=3)
    if kind == "object":
        fields = {name: instances(one, root) for name, one in schema.get("properties", {}).items()}
        wanted = {name: fields.get(name, anything) for name in schema.get("required", [])}
        return st.fixed_dictionaries(wanted, optional={n: s for n, s in fields.items() if n not in wanted})
    simple = {"null": st.none(), "boolean": st.booleans(), "integer": st.integers(-3, 3),
              "number": st.sampled_from([-2, -0.5, 0, 1.0, 2]), "string": st.text("ab é", max_size=3)}  # fmt: skip
    return simple.get(str(kind), anything)


@st.composite
def near(draw: st.DrawFn, value: Any) -> Any:
    """One thing of it otherwise."""
    if isinstance(value, list) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], draw(near(value[place])), *value[place + 1 :]]
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        return draw(
            st.sampled_from([
                {**value, name: draw(near(value[name]))},
                {other: item for other, item in value.items() if other != name},
                {**value, "z": 1},
            ])
        )  # fmt: skip
    return draw(anything)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Any, Any]:
    """A schema, and an answer that fits or nearly does."""
    schema = draw(schemas())
    value = draw(instances(schema, schema))
    return schema, draw(st.sampled_from([value, value, draw(near(value))]))


# The laws


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


# What is no answer


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


# Schemas that are none

INVALID: dict[str, Any] = {
    "an unknown type": {"type": "nope"},
    "a type that is a number": {"type": 5},
    "required is no list": {"required": "a"},
    "minimum is a text": {"minimum": "1"},
    "an invalid pattern": {"pattern": "("},
    "an invalid pattern of names": {"patternProperties": {"(": {}}},
    "properties is a list": {"properties": []},
    "a schema within is none": {"properties": {"a": {"items": {"type": "x"}}}},
    "a reference that is no text": {"$ref": 5},
    "an id that is no text": {"$id": 5},
    "an id that is no address": {"$id": "http://["},
    "negative length": {"minLength": -1},
    "enum is no list": {"enum": 1},
}
INVALID_CASES = [
    *(pytest.param(schema, id=name) for name, schema in INVALID.items()),
    pytest.param({"$schema": []}, id="a dialect that is a list"),
    pytest.param({"$schema": 5}, id="a dialect that is a number"),
    pytest.param({"const": math.nan}, id="a number that JSON does not have"),
]


@pytest.mark.parametrize("way", ["chat", "stream"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("schema", INVALID_CASES)
def test_a_schema_that_is_none_is_bad_usage_before_anything_is_sent(schema: Any, kind: str, way: str) -> None:
    model = Model("{}", kind=kind)
    with pytest.raises(UsageError):
        list(model.client.stream(asking(schema))) if way == "stream" else model.client.chat(asking(schema))
    assert (model.wire.requests, model.rows) == ([], [])


def test_a_dialect_that_nobody_knows_is_taken_for_the_latest_or_refused_but_no_warning() -> None:
    """A DeprecationWarning says that a later jsonschema will raise: today's callers would get a foreign error."""
    with suppress(UsageError):
        assert answered({"$schema": "http://nowhere.example/x"}, "{}").parsed == {}


@pytest.mark.parametrize("draft", ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2019-09/schema", "https://json-schema.org/draft/2020-12/schema"])  # fmt: skip
def test_a_schema_of_an_older_dialect_is_read_as_such(draft: str) -> None:
    schema = {"$schema": draft, "type": "array", "items": [{"type": "integer"}]}
    if "2020" in draft:
        with pytest.raises(UsageError):
            answered(schema, '["x"]')
    else:
        refused(schema, '["x"]')
        assert answered(schema, "[1]").parsed == [1]


@pytest.mark.parametrize(
    "wanted",
    [{"type": "xml"}, {"type": "json_schema"}, {"type": "json_schema", "json_schema": {}}, {"type": 5},
     {"type": "json_schema", "json_schema": {"schema": []}}, {"type": "json_schema", "json_schema": "x"}],
)  # fmt: skip
def test_a_format_that_nobody_knows_is_bad_usage_before_anything_is_sent(wanted: Any) -> None:
    model = Model("{}")
    with pytest.raises(UsageError):
        model.client.chat(ChatRequest(messages=(USER,), response_format=wanted))
    assert model.wire.requests == []


# Schemas that refer elsewhere

_reached: list[list[str]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _reached and (
        event.startswith(("socket.", "urllib.")) or (event == "open" and "elsewhere" in str(arguments[0]))
    ):
        _reached[-1].append(event)


sys.addaudithook(_audit)  # cannot be taken back, so it looks for a watcher first


@contextmanager
def watched() -> Iterator[list[str]]:
    """The network and the file of the test, as the interpreter's audit sees them."""
    _reached.append([])
    try:
        yield _reached[-1]
    finally:
        _reached.pop()


PLACES = ["{}", '{"items": {}}', '{"anyOf": [{"type": "null"}, {}]}', '{"properties": {"a": {}}}', '{"allOf": [{}]}']


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("where", ["http", "file", "relative", "id", "missing", "dynamic"])
def test_a_schema_that_refers_elsewhere_reaches_nothing_and_is_bad_usage(
    where: str, place: str, tmp_path: Path
) -> None:
    file = tmp_path / "elsewhere.json"
    file.write_text("{}")
    with FakeServer([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]) as server:
        reference = {"http": f"{server.url}/schema.json", "file": file.as_uri(), "relative": "elsewhere.json",
                     "id": "elsewhere.json", "missing": "#/$defs/none", "dynamic": f"{server.url}/schema.json"}[where]  # fmt: skip
        name = "$dynamicRef" if where == "dynamic" else "$ref"
        schema = json.loads(place.replace("{}", json.dumps({name: reference})))
        if where == "id":
            schema["$id"] = f"{server.url}/root.json"
        model = Model('{"a": 1}' if "properties" in place else "[1]" if "items" in place else "1")
        with watched() as reached, pytest.raises(UsageError, match=r"refers to|JSON Schema"):
            model.client.chat(asking(schema))
        assert (reached, server.connections) == ([], 0)


@pytest.mark.parametrize("way", ["chat", "stream"])
def test_a_schema_that_refers_elsewhere_costs_nothing_or_leaves_a_row(way: str) -> None:
    model = Model("1")
    request = asking({"$ref": "http://127.0.0.1:9/x"})
    with pytest.raises(UsageError):
        list(model.client.stream(request)) if way == "stream" else model.client.chat(request)
    assert len(model.wire.requests) == len(model.rows)


def test_a_schema_may_refer_to_itself_and_to_its_parts() -> None:
    schema = {
        "$id": "http://127.0.0.1:9/root", "$defs": {"leaf": {"$anchor": "leaf", "type": "integer"}, "x": {"$id": "x", "type": "null"}},
        "anyOf": [{"$ref": "#leaf"}, {"$ref": "x"}, {"type": "array", "items": {"$ref": "#"}}],
    }  # fmt: skip
    with watched() as reached:
        assert answered(schema, "[1, [null, [2]]]").parsed == [1, [None, [2]]]
        refused(schema, '[1, ["x"]]')
    assert reached == []


# Repairs

INTEGER = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@given(repairs=st.integers(0, 4), wrong=st.integers(0, 6))
@settings(max_examples=20)
def test_law_an_answer_is_sent_back_at_most_so_often_and_each_has_a_row(repairs: int, wrong: int) -> None:
    model = Model(*['{"a": "x"}'] * wrong, '{"a": 1}')
    sent = min(wrong, repairs) + 1
    try:
        result = model.client.chat(asking(INTEGER, repairs))
    except SchemaMismatch as mismatch:
        assert wrong > repairs
        assert model.outcomes == ["schema_mismatch"] * sent
        assert mismatch.attempts == (() if sent == 1 else tuple((row.model, row.outcome) for row in model.rows))
    else:
        assert wrong <= repairs
        assert model.outcomes == ["schema_mismatch"] * wrong + ["ok"]
        assert list(result.attempts) == model.rows
        assert result.parsed == {"a": 1}
    assert len(model.wire.requests) == sent


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sent_back_is_the_answer_and_the_problem_after_all_that_was_said(kind: str) -> None:
    wrong = ["first nonsense", '{"a": "x"}', '{"a": 1}']
    model = Model(*wrong, kind=kind)
    model.client.chat(replace(asking(INTEGER, 5), messages=({"role": "system", "content": "Be brief."}, USER)))
    first, second, third = (body["messages"] for body in model.wire.bodies)
    assert second[: len(first)] == first
    assert third[: len(second)] == second
    answer, problem = second[len(first) :]
    assert answer == {"role": "assistant", "content": "first nonsense"}
    assert problem["role"] == "user"
    assert "no JSON" in problem["content"]
    answer, problem = third[len(second) :]
    assert answer == {"role": "assistant", "content": '{"a": "x"}'}
    assert "/a" in problem["content"]
    assert "integer" in problem["content"]
    others = [{name: value for name, value in body.items() if name != "messages"} for body in model.wire.bodies]
    assert others[0] == others[1] == others[2]


def test_a_repair_that_meets_a_busy_server_is_asked_again_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    busy = httpx.Response(429, json={"error": "busy"})
    model = Model('{"a": "x"}', busy, '{"a": "y"}', '{"a": 1}', retry=Retry(times=1))
    assert model.client.chat(asking(INTEGER, 2)).parsed == {"a": 1}
    bodies = model.wire.bodies
    assert bodies[1] == bodies[2]
    assert [len(body["messages"]) for body in bodies] == [1, 3, 3, 5]
    assert model.outcomes == ["schema_mismatch", "rate_limited", "schema_mismatch", "ok"]


def test_a_repair_that_ends_in_a_failure_of_the_server_tells_of_all_attempts() -> None:
    model = Model('{"a": "x"}', httpx.Response(400, json={"error": "no"}))
    with pytest.raises(AldoError) as caught:
        model.client.chat(asking(INTEGER, 2))
    assert caught.value.code == "bad_request"
    assert caught.value.attempts == (("the-entry", "schema_mismatch"), ("the-entry", "bad_request"))  # type: ignore[attr-defined]


def test_a_stream_is_checked_at_its_end_and_never_sent_back() -> None:
    model = Model('{"a": "x"}', '{"a": 1}')
    handed: list[Any] = []
    with pytest.raises(SchemaMismatch) as caught:
        handed.extend(model.client.stream(asking(INTEGER, repairs=5)))
    assert "".join(event.text for event in handed) == '{"a": "x"}'
    assert not any(isinstance(event, Finished) for event in handed)
    assert (model.outcomes, caught.value.attempts) == (["schema_mismatch"], ())
    assert caught.value.where.model == "the-entry"


# Errors tell nothing

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


# Servers that take no notice


def test_where_the_field_is_ignored_the_model_is_told_in_words_and_the_field_is_sent_all_the_same() -> None:
    model = Model('{"a": 1}', kind="mlx")
    result = model.client.chat(asking(INTEGER))
    (body,) = model.wire.bodies
    system, user = body["messages"]
    assert system["role"] == "system"
    assert json.dumps(INTEGER) in system["content"]
    assert user == USER
    assert body["response_format"] == json_schema_format(INTEGER)
    assert result.ignored == ("response_format",)


def test_the_words_are_added_to_the_system_message_that_is_there() -> None:
    model = Model('{"a": 1}', kind="mlx")
    given_ = ({"role": "system", "content": "Be brief."}, USER, {"role": "assistant", "content": "hm"}, USER)
    request = replace(asking(INTEGER), messages=given_)
    model.client.chat(request)
    (body,) = model.wire.bodies
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["messages"][0]["content"].startswith("Be brief.")
    assert json.dumps(INTEGER) in body["messages"][0]["content"]
    assert body["messages"][1:] == list(given_[1:])
    assert request.messages == given_


def test_a_system_message_of_parts_stays_as_it_is_and_the_words_are_said_all_the_same() -> None:
    model = Model("{}", kind="mlx")
    parts = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    model.client.chat(ChatRequest(messages=(parts, USER), response_format=ANY_OBJECT))
    (body,) = model.wire.bodies
    assert parts in body["messages"]
    assert any('{"type": "object"}' in str(message["content"]) for message in body["messages"])


def test_where_the_field_is_known_no_words_are_added() -> None:
    model = Model('{"a": 1}')
    result = model.client.chat(asking(INTEGER))
    assert model.wire.bodies[0]["messages"] == [USER]
    assert model.wire.bodies[0]["response_format"] == json_schema_format(INTEGER)
    assert result.ignored == ()


@pytest.mark.parametrize("wanted", [None, {"type": "text"}])
def test_without_a_schema_nothing_is_added_for_mlx(wanted: Any) -> None:
    model = Model("hello", kind="mlx")
    model.client.chat(ChatRequest(messages=(USER,), response_format=wanted))
    assert model.wire.bodies[0]["messages"] == [USER]
