"""`aldo chat --json`, failures, failover and retries."""

from __future__ import annotations

import json

import pytest

from tests.cli.chat_options.chatting import FIRST, Aldo, body, busy, good, saying
from tests.support.fake_server import FakeServer, Reply, Script, chunked, http

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
