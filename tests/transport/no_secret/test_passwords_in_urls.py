"""A password in a base URL is sent, and told nowhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.errors import AldoError
from aldo.transport import ChatRequest
from tests.support.bound import COMPLETION, bind, entry
from tests.support.fake_server import http
from tests.transport.no_secret.echoes import refusal
from tests.transport.no_secret.leaks import (
    BASIC,
    FEW,
    PASSWORD,
    PLAIN,
    USER,
    errors_behind,
    heard,
    leaks,
    one_text,
    told_of,
    words_of,
)

PASSWORDS = st.text("GHJKLMNPQRSTUVWXYZ@:[]%!$&'()*+,;=~", min_size=8, max_size=20).filter(
    lambda text: len(set(text)) > 5
)


@given(PASSWORDS, st.sampled_from(("me", "", "m%40e", "me@there")))
@settings(FEW, max_examples=40)
def test_a_password_in_a_base_url_is_in_no_error_of_a_server_that_is_away(password: str, user: str) -> None:
    """Whatever letters it has, and whether or not they make a URL of another meaning."""
    model = entry(config={"baseUrl": f"http://{user}:{password}@127.0.0.1:1"})
    told: list[str] = []
    with heard(told):
        try:
            with bind(model) as client:
                told.append(repr(client) + client.base_url)
                client.chat(ChatRequest(messages=({"role": "user", "content": "hi"},)))
        except AldoError as error:
            told += [text for one in (error, *errors_behind(error)) for text in words_of(one)]
    assert leaks(one_text(told), (), (password,)) == []


def test_a_password_in_a_base_url_is_sent_and_in_no_usage_row() -> None:
    told = told_of(http(json.dumps(COMPLETION)), PLAIN, user=USER)
    assert told.code == "ok"
    assert leaks(told.rows, (), (PASSWORD,)) == []


@pytest.mark.parametrize(
    "said",
    [PASSWORD, BASIC],
    ids=["password", "header"],
)
def test_a_password_in_a_base_url_that_the_server_sends_back_is_not_told(said: str) -> None:
    told = told_of(refusal({"error": f"wrong: {said}"}, "401 No"), PLAIN, user=USER)
    assert leaks(one_text(told.error), (), (said,)) == []


def test_a_password_in_a_base_url_is_in_no_log() -> None:
    told = told_of(http(json.dumps(COMPLETION)), PLAIN, user=USER)
    assert leaks(one_text(told.logs), (), (PASSWORD,)) == []
