"""What was sent is in no error, no error behind it, no usage row and no log."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldo.transport import json_schema_format
from tests.support.bound import COMPLETION
from tests.support.bound_async import WAYS, Way
from tests.support.fake_server import http
from tests.transport.no_secret.echoes import ALL, BODIES, LINES, QUOTED, UNESCAPED, echo_of
from tests.transport.no_secret.leaks import CYRILLIC, FEW, FEWER, PLAIN, SECRET, Material, one_text, told_of


@pytest.mark.parametrize("place", ALL)
@given(data=st.data())
@FEW
def test_no_error_and_no_usage_row_holds_what_was_sent(place: str, data: st.DataObject) -> None:
    told, sent = echo_of(data, place)
    assert told.error or told.code == "ok"
    assert sent.found_in(one_text(told.error)) == []
    assert told.rows.count("\n") == 1
    assert sent.found_in(told.rows) == []


@pytest.mark.parametrize("place", [*BODIES, *UNESCAPED])
@given(data=st.data())
@FEWER
def test_no_logger_is_told_what_was_sent(place: str, data: st.DataObject) -> None:
    told, sent = echo_of(data, place)
    assert any("httpx" in text for text in told.logs)  # somebody listened
    assert sent.found_in(one_text(told.logs)) == []


@pytest.mark.parametrize("place", ALL)
@given(data=st.data())
@FEWER
def test_no_error_behind_the_error_holds_what_was_sent(place: str, data: st.DataObject) -> None:
    told, sent = echo_of(data, place)
    assert sent.found_in(one_text(told.behind)) == []


@pytest.mark.parametrize("text", [SECRET, CYRILLIC, 'a "b" c/d~e\nf and some more'])
@pytest.mark.parametrize("way", ["chat", "stream"])
def test_what_is_wrong_with_an_answer_is_told_without_the_prompt(text: str, way: Way) -> None:
    sent = Material(text, *(PLAIN.system, PLAIN.argument, PLAIN.key, PLAIN.header))
    schema = {"additionalProperties": {"type": "integer", "enum": [1]}, "maxProperties": 1}
    answer = json.dumps({text: text, sent.key: {sent.system: text}})
    body = COMPLETION | {"choices": [{"message": {"content": answer}, "finish_reason": "stop"}]}
    told = told_of(http(json.dumps(body)), sent, way, response_format=json_schema_format(schema))
    assert told.code == "schema_mismatch"
    assert sent.found_in(one_text([*told.error, *told.behind, *told.logs, told.rows])) == []


@pytest.mark.parametrize("place", LINES)
def test_no_logger_but_httpcores_is_told_what_a_server_writes_above_the_body(place: str) -> None:
    """httpcore writes all headers at DEBUG; docs/explanation/privacy.md says so."""
    told = told_of(LINES[place](SECRET), PLAIN)
    records = [told.logs[i : i + 2] for i in range(0, len(told.logs), 2)]
    others = [text for record in records for text in record if not record[0].startswith("DEBUG httpcore.")]
    assert any("httpx" in text for text in others)
    assert PLAIN.found_in(one_text(others)) == []


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "async"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", QUOTED)
def test_no_error_behind_the_error_quotes_what_came(place: str, way: Way, blocking: bool) -> None:
    """Errors of other libraries do: h11's of a line that is none, Python's of a text that is not ASCII."""
    sent = Material(CYRILLIC if place in BODIES else SECRET, PLAIN.system, PLAIN.argument, PLAIN.key, PLAIN.header)
    told = told_of(ALL[place](sent.prompt), sent, way, blocking=blocking)
    assert told.error
    assert sent.found_in(one_text(told.behind)) == []
