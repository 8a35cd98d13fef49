"""Every option of `aldo chat`, against a server on the loopback that says what the test wants it to say."""

from __future__ import annotations

import base64
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.cli.main import cli
from tests.support.bound import COMPLETION, STREAM, entry
from tests.support.cases import ROOT
from tests.support.fake_server import FakeServer, Reply, Script, Seen, chunked, http, sse

REQUEST = ("--class", "local-reasoning", "--privacy", "sensitive")
FIRST = STREAM[: STREAM.index(b"\n\n") + 2]
GIVE_UP = 20.0


def good(seen: Seen) -> bytes:
    return sse(STREAM) if seen.json["stream"] else http(json.dumps(COMPLETION))


def saying(text: str, **more: Any) -> Script:
    """A server whose model says this, streamed or not."""
    choice = {"message": {"content": text}, "finish_reason": "stop"} | more

    def script(seen: Seen) -> bytes:
        if not seen.json["stream"]:
            return http(json.dumps({**COMPLETION, "choices": [choice]}))
        chunk = {"choices": [{"delta": choice["message"], "finish_reason": choice["finish_reason"]}]}
        return sse(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())

    return script


def busy(seen: Seen) -> bytes:
    return http('{"error": {"message": "busy"}}', status="503 No", retry_after="0")


def catalog(folder: Path, *urls: str, **more: Any) -> str:
    """A catalog of local entries e0, e1, … at these addresses."""
    models = [entry(config={"baseUrl": url}, id=f"e{number}") | more for number, url in enumerate(urls)]
    path = folder / "models.json"
    path.write_text(json.dumps({"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": models}))
    return str(path)


class Aldo:
    """`aldo chat` in this process, with a catalog of its own; its standard output is no terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, content: str | bytes | Any) -> str:
        path = self.folder / name
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def chat(
        self, *arguments: str, servers: Sequence[FakeServer], stdin: str | bytes | None = None, **environ: str
    ) -> Result:
        chosen = catalog(self.folder, *(server.url for server in servers))
        env: dict[str, str | None] = {name: None for name in os.environ if name.startswith("ALDO_")}
        command = ["chat", *REQUEST, "--catalog", chosen, *arguments]
        result = CliRunner().invoke(cli, command, input=stdin, env={**env, **environ})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result


@pytest.fixture
def aldo(tmp_path: Path) -> Aldo:
    return Aldo(tmp_path)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer([good]) as server:
        yield server


def one_line(text: str) -> str:
    """What was folded for the terminal."""
    return " ".join(text.split())


def refused(result: Result, server: FakeServer, *words: str) -> None:
    """Bad usage, told in words, and nobody was asked."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    for word in words:
        assert word in one_line(result.stderr)
    assert "Traceback" not in result.stderr
    assert server.connections == 0


def body(server: FakeServer) -> Any:
    (seen,) = server.seen
    return seen.json


# The answer


def test_standard_output_holds_the_answer_and_nothing_else(aldo: Aldo, server: FakeServer) -> None:
    result = aldo.chat("hello", servers=[server])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Hello\n", "")


def test_the_settings_of_a_request_are_sent_as_they_were_given(aldo: Aldo, server: FakeServer) -> None:
    aldo.chat("hello", "--seed", "7", "--max-tokens", "33", "--temperature", "0.25", "--top-p", "0.5", "--system", "Be brief.", servers=[server])  # fmt: skip
    sent = body(server)
    assert (sent["seed"], sent["max_tokens"], sent["temperature"], sent["top_p"]) == (7, 33, 0.25, 0.5)
    assert sent["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    assert sent["stream"] is True


@pytest.mark.parametrize("seed", ["0", "-1", "123456789012345678901234567890"])
def test_a_seed_is_any_whole_number(seed: str, aldo: Aldo, server: FakeServer) -> None:
    assert aldo.chat("x", "--seed", seed, servers=[server]).exit_code == 0
    assert body(server)["seed"] == int(seed)


@pytest.mark.parametrize(
    "wrong",
    [("--seed", "x"), ("--seed", "1.5"), ("--max-tokens", "-1"), ("--max-tokens", "0"), ("--max-tokens", "x"), ("--retries", "-1"),
     ("--retries", "101"), ("--repair", "-1"), ("--repair", "11"), ("--temperature", "nan"), ("--usage", ""), ("--timeout", "0")],
)  # fmt: skip
def test_values_out_of_range_are_bad_usage(wrong: tuple[str, str], aldo: Aldo, server: FakeServer) -> None:
    refused(aldo.chat("x", *wrong, servers=[server]), server, "--" if wrong[0] != "--usage" else "--usage is empty")


# The prompt


@pytest.mark.parametrize("arguments", [(), ("-",)])
@pytest.mark.parametrize("stdin", ["a prompt\n", "крокодил", "two\n\nparagraphs"])
def test_a_piped_prompt_is_sent_as_it_is(
    arguments: tuple[str, ...], stdin: str, aldo: Aldo, server: FakeServer
) -> None:
    assert aldo.chat(*arguments, servers=[server], stdin=stdin).exit_code == 0
    assert body(server)["messages"] == [{"role": "user", "content": stdin}]


def test_a_piped_prompt_that_is_no_utf_8_is_sent_with_marks_for_what_is_not(aldo: Aldo, server: FakeServer) -> None:
    aldo.chat(servers=[server], stdin=b"a\xff\xfeb")
    assert body(server)["messages"][0]["content"] == "a\ufffd\ufffdb"


def test_a_given_prompt_leaves_standard_input_alone(aldo: Aldo, server: FakeServer) -> None:
    aldo.chat("given", servers=[server], stdin="piped")
    assert body(server)["messages"][0]["content"] == "given"


@pytest.mark.parametrize(("arguments", "stdin"), [((), ""), ((), " \n"), (("-",), ""), (("",), "x"), (("  ",), "x")])
def test_an_empty_prompt_is_bad_usage(arguments: tuple[str, ...], stdin: str, aldo: Aldo, server: FakeServer) -> None:
    refused(aldo.chat(*arguments, servers=[server], stdin=stdin), server, "empty")


# --file


def test_texts_come_after_the_prompt_each_under_its_name(aldo: Aldo, server: FakeServer) -> None:
    files = [aldo.file("a.txt", "first"), aldo.file("b.py", "second"), aldo.file("c", "третий")]
    arguments = [part for file in files for part in ("--file", file)]
    assert aldo.chat("Compare.", *arguments, servers=[server]).exit_code == 0
    content = body(server)["messages"][0]["content"]
    assert content == "Compare.\n\na.txt:\nfirst\n\nb.py:\nsecond\n\nc:\nтретий"


def test_a_file_alone_is_the_prompt_and_nothing_is_read_from_standard_input(aldo: Aldo, server: FakeServer) -> None:
    aldo.chat("--file", aldo.file("prompt.txt", "Who pays?"), servers=[server], stdin="piped")
    assert body(server)["messages"] == [{"role": "user", "content": "Who pays?"}]


def test_a_piped_prompt_and_a_file_go_together(aldo: Aldo, server: FakeServer) -> None:
    aldo.chat("-", "--file", aldo.file("a.txt", "the text"), servers=[server], stdin="Sum up.")
    assert body(server)["messages"][0]["content"] == "Sum up.\n\na.txt:\nthe text"


PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\xff"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "image/png"), ("b.JPG", "image/jpeg"), ("c.webp", "image/webp"), ("d.gif", "image/gif")],
)
def test_an_image_is_sent_as_a_part_with_its_bytes_in_it(name: str, kind: str, aldo: Aldo, server: FakeServer) -> None:
    aldo.chat("What is it?", "--file", aldo.file(name, PICTURE), servers=[server])
    text, image = body(server)["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is it?"}
    head, data = image["image_url"]["url"].split(",")
    assert (image["type"], head, base64.b64decode(data)) == ("image_url", f"data:{kind};base64", PICTURE)


def test_images_and_texts_mix_and_the_images_keep_their_order(aldo: Aldo, server: FakeServer) -> None:
    files = [aldo.file("1.png", b"one"), aldo.file("notes.txt", "notes"), aldo.file("2.png", b"two")]
    aldo.chat("Look.", *[part for file in files for part in ("--file", file)], servers=[server])
    text, *images = body(server)["messages"][0]["content"]
    assert text["text"] == "Look.\n\nnotes.txt:\nnotes"
    assert [base64.b64decode(image["image_url"]["url"].split(",")[1]) for image in images] == [b"one", b"two"]


def test_an_image_needs_no_prompt_beside_it(aldo: Aldo, server: FakeServer) -> None:
    assert aldo.chat("--file", aldo.file("a.png", PICTURE), servers=[server]).exit_code == 0
    (image,) = body(server)["messages"][0]["content"]
    assert image["type"] == "image_url"


@pytest.mark.parametrize("name", ["a.bin", "a.txt", "noname", "a.pdf"])
def test_what_is_neither_text_nor_image_is_refused_by_name(name: str, aldo: Aldo, server: FakeServer) -> None:
    file = aldo.file(name, b"\x7fELF\x00\x01")
    refused(
        aldo.chat("x", "--file", file, servers=[server]), server, file.replace("\n", " "), "neither a text nor an image"
    )


@pytest.mark.parametrize("missing", ["nowhere.txt", ".", "a/b"])
def test_a_file_that_cannot_be_read_is_named(missing: str, aldo: Aldo, server: FakeServer) -> None:
    result = aldo.chat("x", "--file", str(aldo.folder / missing), servers=[server])
    refused(result, server, "cannot be read")


def test_a_file_counts_for_routing_as_the_prompt_does(aldo: Aldo, server: FakeServer) -> None:
    """The entry has 32768 tokens; a text of 200 000 characters does not fit, and nobody is asked."""
    file = aldo.file("long.txt", "word " * 40_000)
    result = aldo.chat("Sum up.", "--file", file, "--json", servers=[server])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "no_eligible_model"
    assert server.connections == 0


# --tool


def tool(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}, **more}}


CALL = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": "é"}'}}]
CALLING = saying("", message={"content": None, "tool_calls": CALL}, finish_reason="tool_calls")


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


# --schema and --repair

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


# --json

SHAPE = ["text", "reasoning", "toolCalls", "finishReason", "usage", "model", "provider", "upstreamModel", "returnedModel", "usd", "latencyMs", "ttftMs", "decision"]  # fmt: skip


def test_json_has_every_field_of_the_contract(aldo: Aldo, server: FakeServer) -> None:
    result = aldo.chat("hello", "--json", servers=[server])
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert sorted(found) == sorted([*SHAPE, "refusal", "attempts", "ignored"])
    assert (found["text"], found["reasoning"], found["toolCalls"], found["refusal"]) == ("Hello", "", [], None)
    assert found["usage"] == {"tokensIn": 3, "tokensOut": 1, "cacheReadTokens": None}
    assert [found[name] for name in ("model", "provider", "upstreamModel", "returnedModel", "usd", "finishReason")] == [
        "e0", "acme", "e0", "served", "0", "stop"
    ]  # fmt: skip
    assert found["attempts"] == [{"model": "e0", "outcome": "ok"}]
    assert (found["decision"]["model"], found["decision"]["provider"]) == ("e0", "acme")
    assert found["latencyMs"] >= found["ttftMs"] >= 0
    assert body(server)["stream"] is True  # else there were no time to the first token


def test_json_has_the_refusal_and_the_reasoning_where_there_are_some(aldo: Aldo) -> None:
    message = {"content": None, "refusal": "No.", "reasoning_content": "Hm."}
    with FakeServer([saying("", message=message)]) as server:
        found = json.loads(aldo.chat("x", "--json", servers=[server]).stdout)
        streamed = aldo.chat("x", servers=[server])
    assert (found["text"], found["refusal"], found["reasoning"]) == ("", "No.", "Hm.")
    assert streamed.stdout == "No.\n"  # what a model thinks is no part of its answer, a refusal is one


def refusing(status: str, text: str = '{"error": {"message": "no"}}') -> Script:
    return lambda seen: http(text, status=status, retry_after="0")


FAILURES: dict[str, tuple[Script, int]] = {
    "rate_limited": (refusing("429 No"), 3),
    "context_exceeded": (refusing("400 No", '{"error": {"message": "maximum context length is 5"}}'), 3),
    "model_not_found": (refusing("404 No"), 3),
    "server_loading": (refusing("503 No", '{"error": {"message": "Loading model"}}'), 3),
    "bad_request": (refusing("400 No"), 3),
    "unauthorized": (refusing("401 No"), 3),
    "server_error": (refusing("501 No"), 3),
    "stream_cut": (lambda seen: chunked(FIRST, 9, whole=False), 3),
    "protocol": (lambda seen: http("<html>"), 3),
    "connection": (Reply(b"", after="reset"), 3),
    "tool_call_unparsable": (saying("", message={"content": ""}, finish_reason="tool_calls"), 3),
}


@pytest.mark.parametrize("code", FAILURES)
def test_a_failure_has_its_code_in_json_and_3_for_its_exit(code: str, aldo: Aldo) -> None:
    script, exit_code = FAILURES[code]
    with FakeServer([script]) as server:
        as_json = aldo.chat("x", "--retries", "0", "--json", servers=[server])
        human = aldo.chat("x", "--retries", "0", servers=[server])
    error = json.loads(as_json.stdout)["error"]
    assert (error["code"], as_json.exit_code, human.exit_code) == (code, exit_code, exit_code)
    assert (error["model"], error["provider"]) == ("e0", "acme")
    assert human.stderr.startswith("error: e0: ")
    assert human.stdout in ("", "Hello\n")


def test_what_was_said_before_a_cut_stays_and_the_error_has_a_line_of_its_own(aldo: Aldo) -> None:
    with FakeServer([chunked(FIRST, 9, whole=False)]) as server:
        result = aldo.chat("x", servers=[server])
    assert (result.stdout, result.exit_code) == ("Hello\n", 3)
    assert result.stderr.startswith("error: ")


# --failover and --retries


def test_failover_asks_the_next_when_the_first_is_down(aldo: Aldo, server: FakeServer) -> None:
    with FakeServer([good]) as gone:
        pass
    for way, check in (((), lambda out: out == "Hello\n"), (("--json",), lambda out: json.loads(out)["model"] == "e1")):
        result = aldo.chat("x", "--failover", *way, servers=[gone, server])
        assert (result.exit_code, check(result.stdout)) == (0, True), result.output
    found = json.loads(result.stdout)
    assert found["attempts"] == [{"model": "e0", "outcome": "connection"}, {"model": "e1", "outcome": "ok"}]
    assert found["decision"]["model"] == "e0"
    alone = aldo.chat("x", "--json", servers=[gone, server])
    assert (alone.exit_code, json.loads(alone.stdout)["error"]["model"]) == (3, "e0")


def test_when_all_are_down_the_error_tells_of_each(aldo: Aldo) -> None:
    with FakeServer([good]) as one, FakeServer([good]) as other:
        pass
    result = aldo.chat("x", "--failover", "--json", servers=[one, other])
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["code"], error["model"]) == (3, "connection", "e1")
    assert error["attempts"] == [{"model": "e0", "outcome": "connection"}, {"model": "e1", "outcome": "connection"}]


@pytest.mark.parametrize(("given_", "asked"), [((), 3), (("--retries", "0"), 1), (("--retries", "5"), 6)])
def test_retries_say_how_often_a_busy_server_is_asked_again(given_: tuple[str, ...], asked: int, aldo: Aldo) -> None:
    with FakeServer([busy]) as server:
        result = aldo.chat("x", *given_, servers=[server])
        assert (result.exit_code, server.connections) == (3, asked)
    with FakeServer([*[busy] * (asked - 1), good]) as server:
        assert aldo.chat("x", *given_, servers=[server]).stdout == "Hello\n"


# --usage


def rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("by", ["option", "variable", "both"])
def test_usage_is_appended_where_the_option_says_else_the_variable(by: str, aldo: Aldo, server: FakeServer) -> None:
    log, other = aldo.folder / "usage.jsonl", aldo.folder / "other.jsonl"
    option = ("--usage", str(log)) if by != "variable" else ()
    environ = {"ALDO_USAGE_LOG": str(other if by == "both" else log)} if by != "option" else {}
    for _ in range(2):
        assert aldo.chat("x", *option, servers=[server], **environ).exit_code == 0
    assert [(row["model"], row["outcome"], row["tokensIn"]) for row in rows(log)] == [("e0", "ok", 3)] * 2
    assert not other.exists()


def test_usage_has_a_row_for_every_request_of_a_call(aldo: Aldo, server: FakeServer) -> None:
    log = aldo.folder / "usage.jsonl"
    with FakeServer([busy]) as down:
        aldo.chat("a secret prompt", "--failover", "--retries", "1", "--usage", str(log), servers=[down, server])
    assert [(row["model"], row["outcome"]) for row in rows(log)] == [("e0", "server_error")] * 2 + [("e1", "ok")]
    assert {(row["privacy"], row["capabilityClass"]) for row in rows(log)} == {("sensitive", "local-reasoning")}
    assert "secret prompt" not in log.read_text("utf-8")


@pytest.mark.parametrize("where", ["nowhere/usage.jsonl", "."])
@pytest.mark.parametrize("by", ["option", "variable"])
def test_what_cannot_be_logged_is_not_sent(where: str, by: str, aldo: Aldo, server: FakeServer) -> None:
    path = f"{aldo.folder}/{where}"
    option, environ = (("--usage", path), {}) if by == "option" else ((), {"ALDO_USAGE_LOG": path})
    refused(aldo.chat("x", *option, servers=[server], **environ), server, "usage log")


def test_a_call_that_is_refused_leaves_no_log_behind(aldo: Aldo, server: FakeServer) -> None:
    log = aldo.folder / "usage.jsonl"
    result = aldo.chat("x", "--requires", "audio-out", "--usage", str(log), "--json", servers=[server])
    assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (1, "no_eligible_model")
    assert not log.exists()


# In a process of its own


def command(folder: Path, *arguments: str, url: str) -> tuple[list[str], dict[str, str]]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ALDO_", "GITHUB_"))}
    env |= {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    chosen = ["--catalog", catalog(folder, url), "--usage", str(folder / "usage.jsonl")]
    return [sys.executable, "-m", "aldo.cli.main", "chat", *REQUEST, *chosen, *arguments, "hello"], env


@pytest.mark.parametrize("way", ["streamed", "whole"])
def test_an_interruption_ends_with_130_and_leaves_one_cancelled_row(way: str, tmp_path: Path) -> None:
    asked = threading.Event()

    def hang(seen: Seen) -> Reply:
        asked.set()
        return Reply(sse(FIRST) if way == "streamed" else b"", after="hang")

    with FakeServer([hang]) as server:
        line, env = command(tmp_path, *(["--json"] if way == "whole" else []), url=server.url)
        process = subprocess.Popen(
            line, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert asked.wait(GIVE_UP)
        if way == "streamed":
            assert process.stdout
            assert process.stdout.read(5) == b"Hello"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=GIVE_UP)
    assert (process.returncode, errors) == (130, b"")
    assert out.strip() == b""
    assert [row["outcome"] for row in rows(tmp_path / "usage.jsonl")] == ["cancelled"]


def test_a_reader_that_has_gone_ends_the_call_and_leaves_one_cancelled_row(tmp_path: Path) -> None:
    """As `aldo chat … | head -c 1` does. The server goes on for ever; the client hangs up."""
    read, write = os.pipe()
    os.close(read)
    with FakeServer([Reply(sse(FIRST * 3), after="hang")]) as server:
        line, env = command(tmp_path, url=server.url)
        process = subprocess.Popen(line, env=env, stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.PIPE)
        os.close(write)
        _, errors = process.communicate(timeout=GIVE_UP)
    assert (process.returncode, errors) == (0, b"")
    assert [row["outcome"] for row in rows(tmp_path / "usage.jsonl")] == ["cancelled"]


class Screen:
    """A terminal for the standard error of a process; `until` reads on until something is shown."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        self.shown = ""

    def until(self, words: str) -> None:
        while words not in self.shown:
            assert self._read(), self.shown

    def rest(self) -> str:
        while self._read():
            pass
        os.close(self._ours)
        return self.shown

    def _read(self) -> bool:
        try:
            piece = os.read(self._ours, 4096)
        except OSError:  # Linux: the other end is closed
            return False
        self.shown += piece.decode("utf-8", "replace")
        return bool(piece)


@pytest.mark.parametrize("way", ["streamed", "schema"])
def test_on_a_terminal_something_moves_and_a_summary_follows_and_neither_is_in_the_answer(
    way: str, tmp_path: Path
) -> None:
    go = threading.Event()

    def wait(seen: Seen) -> bytes:
        assert go.wait(GIVE_UP)
        return sse(STREAM) if way == "streamed" else http(json.dumps(COMPLETION).replace("Hello", "[1]"))

    (tmp_path / "s.json").write_text("{}")
    screen = Screen()
    with FakeServer([wait]) as server:
        more = ["--schema", str(tmp_path / "s.json")] if way == "schema" else []
        line, env = command(tmp_path, *more, url=server.url)
        process = subprocess.Popen(
            line, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=screen.theirs
        )
        os.close(screen.theirs)
        screen.until(" e0 ")  # it moves while the server is silent
        go.set()
        out, _ = process.communicate(timeout=GIVE_UP)
    shown = screen.rest()
    assert process.returncode == 0
    assert out == (b"Hello\n" if way == "streamed" else b"[\n  1\n]\n")
    moving, _, after = shown.rpartition("\r\x1b[K")
    assert " e0 " in moving
    for word in ("e0", "1 tokens", "stop", "first after", "0 USD"):
        assert word in after
    assert "Hello" not in shown


def test_without_a_terminal_nothing_moves(tmp_path: Path) -> None:
    with FakeServer([good]) as server:
        line, env = command(tmp_path, url=server.url)
        done = subprocess.run(line, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Hello\n", b"")
