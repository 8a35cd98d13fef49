"""`aldo chat --tool`, `--schema` and `--repair`: what is sent, what is printed, and what is bad usage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.chat_options.chatting import CALLING, Aldo, body, one_line, refused, saying, tool
from tests.support.fake_server import FakeServer


def test_tools_of_all_files_are_sent_in_order_and_as_they_are(aldo: Aldo, server: FakeServer) -> None:
    one = aldo.file("one.json", tool("a", description="é", strict=True))
    more = aldo.file("more.json", [tool("b"), {"type": "function", "function": {"name": "c"}}])
    assert aldo.chat("x", "--tool", one, "--tool", more, servers=[server]).exit_code == 0
    assert body(server)["tools"] == [
        tool("a", description="é", strict=True), tool("b"), {"type": "function", "function": {"name": "c"}}
    ]  # fmt: skip


def test_a_call_is_printed_with_its_arguments(aldo: Aldo) -> None:
    with FakeServer([CALLING]) as server:
        result = aldo.chat("x", "--tool", aldo.file("t.json", tool()), servers=[server])
        whole = aldo.chat("x", "--tool", aldo.file("t.json", tool()), "--json", servers=[server])
    assert result.stdout.strip() == '[tool call f({"x": "é"})]'
    found = json.loads(whole.stdout)
    assert found["toolCalls"] == [{"id": "c1", "name": "f", "arguments": {"x": "é"}}]
    assert (found["finishReason"], found["text"]) == ("tool_calls", "")


MALFORMED: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "1:2: no JSON"),
    "no JSON in its second line": ('{\n"a": }', "2:6: no JSON"),
    "nothing": ("", "1:1: no JSON"),
    "no UTF-8": (b"\xff\xff\xff", "no JSON"),
    "an empty list": ([], "there is no tool in it"),
    "a number": (5, "a tool is written"),
    "a text": ('"f"', "a tool is written"),
    "null": ("null", "a tool is written"),
    "the function alone": ({"name": "f", "parameters": {}}, "a tool is written"),
    "another type": ({"type": "web_search"}, "a tool is written"),
    "no function": ({"type": "function"}, "a tool is written"),
    "a function that is a text": ({"type": "function", "function": "f"}, "a tool is written"),
    "no name": ({"type": "function", "function": {"parameters": {}}}, "has no name"),
    "an empty name": (tool(""), "has no name"),
    "a name that is a number": ({"type": "function", "function": {"name": 5}}, "has no name"),
    "parameters that are none": (
        {"type": "function", "function": {"name": "f", "parameters": []}},
        "the parameters of 'f'",
    ),
    "the second is wrong": ([tool("a"), {"type": "function"}], "tool 2: a tool is written"),
    "two of one name": ([tool("a"), tool("a")], "tool 2: there are two tools called 'a'"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_tool_that_is_none_is_told_with_its_file_and_what_is_wrong(name: str, aldo: Aldo, server: FakeServer) -> None:
    content, words = MALFORMED[name]
    file = aldo.file("tools.json", content)
    refused(aldo.chat("x", "--tool", file, servers=[server]), server, "tools.json", words)


def test_two_tools_of_one_name_in_two_files_are_told(aldo: Aldo, server: FakeServer) -> None:
    files = [aldo.file("a.json", tool("f")), aldo.file("b.json", tool("f"))]
    result = aldo.chat("x", "--tool", files[0], "--tool", files[1], servers=[server])
    refused(result, server, "b.json", "two tools called 'f'")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just("function"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "function", "name", "parameters", "x"]), inner, max_size=4),
    max_leaves=6,
)  # fmt: skip


@given(content=json_values)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_law_any_json_is_a_list_of_tools_or_bad_usage(content: Any, tmp_path: Path) -> None:
    from aldo.cli.asking import tools_of
    from aldo.errors import UsageError

    path = tmp_path / "t.json"
    path.write_text(json.dumps(content))
    try:
        tools = tools_of((str(path),))
    except UsageError as error:
        assert str(path) in str(error)
    else:
        assert list(tools) == (content if isinstance(content, list) else [content])
        assert all(one["type"] == "function" and one["function"]["name"] for one in tools)


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


def test_an_answer_of_a_schema_is_printed_as_json_whatever_the_model_put_around_it(aldo: Aldo) -> None:
    with FakeServer([saying('```json\n{"a": 1}\n```')]) as server:
        result = aldo.chat("x", "--schema", aldo.file("s.json", SCHEMA), servers=[server])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == '{\n  "a": 1\n}\n'
    assert body(server)["response_format"]["json_schema"]["schema"] == SCHEMA
    assert body(server)["stream"] is True  # else there were no time to the first token


@pytest.mark.parametrize("answer", ['{"a": "x"}', "Certainly!", '{"a": 1, "b": 2}', '{"a": NaN}'])
def test_an_answer_of_another_shape_ends_with_1_and_prints_nothing_of_it(answer: str, aldo: Aldo) -> None:
    with FakeServer([saying(answer)]) as server:
        result = aldo.chat("x", "--schema", aldo.file("s.json", SCHEMA), servers=[server])
        as_json = aldo.chat("x", "--schema", aldo.file("s.json", SCHEMA), "--json", servers=[server])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    error = json.loads(as_json.stdout)["error"]
    assert (as_json.exit_code, error["code"], error["model"]) == (1, "schema_mismatch", "e0")
    assert isinstance(error["problems"], list)


def test_repair_sends_the_answer_back_so_often(aldo: Aldo) -> None:
    schema = aldo.file("s.json", SCHEMA)
    with FakeServer([saying("no"), saying('{"a": "x"}'), saying('{"a": 3}')]) as server:
        result = aldo.chat("x", "--schema", schema, "--repair", "2", "--json", servers=[server])
        assert [len(seen.json["messages"]) for seen in server.seen] == [1, 3, 5]
    found = json.loads(result.stdout)
    assert [one["outcome"] for one in found["attempts"]] == ["schema_mismatch", "schema_mismatch", "ok"]
    with FakeServer([saying("no")]) as server:
        result = aldo.chat("x", "--schema", schema, "--repair", "1", "--json", servers=[server])
        assert len(server.seen) == 2
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["attempts"] == [{"model": "e0", "outcome": "schema_mismatch"}] * 2


def test_tool_calls_may_come_instead_of_what_the_schema_asks_for(aldo: Aldo) -> None:
    with FakeServer([CALLING]) as server:
        schema, tools = aldo.file("s.json", SCHEMA), aldo.file("t.json", tool())
        result = aldo.chat("x", "--schema", schema, "--tool", tools, servers=[server])
    assert (result.exit_code, result.stdout) == (0, '[tool call f({"x": "é"})]\n')


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "s.json:1:2: no JSON"), ('{"type": "nope"}', "no JSON Schema"), ("[]", "s.json: a JSON Schema is"), ("5", "s.json: a JSON Schema is"),
     ('{"properties": {"a": {"type": 5}}}', "/properties/a/type")],
)  # fmt: skip
def test_a_schema_that_is_none_is_bad_usage(content: str, words: str, aldo: Aldo, server: FakeServer) -> None:
    for as_json in ((), ("--json",)):
        result = aldo.chat("x", "--schema", aldo.file("s.json", content), *as_json, servers=[server])
        assert (result.exit_code, server.connections) == (2, 0)
        assert words in one_line(json.loads(result.stdout)["error"]["message"] if as_json else result.stderr)


@pytest.mark.parametrize("content", ['{"const": NaN}', '{"$schema": 5}', '{"$schema": []}'])
def test_a_schema_that_python_reads_and_nobody_else_is_bad_usage(content: str, aldo: Aldo, server: FakeServer) -> None:
    refused(aldo.chat("x", "--schema", aldo.file("s.json", content), servers=[server]), server)


def test_an_empty_schema_option_is_no_way_to_say_no_schema(aldo: Aldo, server: FakeServer) -> None:
    """As from an unset variable in a script: --schema "$SCHEMA"."""
    refused(aldo.chat("x", "--schema", "", servers=[server]), server)


@pytest.mark.parametrize("option", ["--file", "--tool"])
def test_an_empty_file_option_is_bad_usage(option: str, aldo: Aldo, server: FakeServer) -> None:
    refused(aldo.chat("x", option, "", servers=[server]), server)


@pytest.mark.parametrize("depth", [900, 100_000])
@pytest.mark.parametrize("way", ["schema", "tool", "tool as JSON"])
def test_an_answer_nested_as_deep_as_python_goes_or_deeper_is_printed_or_one_of_our_errors(
    way: str, depth: int, aldo: Aldo
) -> None:
    deep = "[" * depth + "]" * depth
    call = [{"id": "c", "function": {"name": "f", "arguments": '{"x": ' + deep + "}"}}]
    script = saying(deep) if way == "schema" else saying("", message={"tool_calls": call}, finish_reason="tool_calls")
    options = {"schema": ["--schema", aldo.file("s.json", {})], "tool": [], "tool as JSON": ["--json"]}[way]
    with FakeServer([script]) as server:
        assert aldo.chat("x", *options, servers=[server]).exit_code in (0, 1, 3)
