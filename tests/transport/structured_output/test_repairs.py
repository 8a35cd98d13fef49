"""Repairs: an answer is sent back so often, each with a row; servers that ignore the field are told in words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import AldoError, SchemaMismatch
from aldo.transport import ChatRequest, Finished, Retry, json_schema_format
from tests.support.bound import USER
from tests.transport.structured_output.answering import ANY_OBJECT, INTEGER, KINDS, Model, asking


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
