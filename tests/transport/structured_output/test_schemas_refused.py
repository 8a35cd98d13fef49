"""Schemas that are none, of other dialects, or that refer elsewhere: bad usage before anything is sent."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from aldo.errors import UsageError
from aldo.transport import ChatRequest
from tests.support.bound import USER
from tests.support.fake_server import FakeServer
from tests.transport.structured_output.answering import KINDS, Model, answered, asking, refused

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
