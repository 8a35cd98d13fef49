"""`aldo chat --usage`: a row for every request, or no request."""

from __future__ import annotations

import json

import pytest

from tests.cli.chat_options.chatting import Aldo, busy, refused, rows
from tests.support.fake_server import FakeServer


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
