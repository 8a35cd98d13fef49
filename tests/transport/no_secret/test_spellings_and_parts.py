"""Other spellings of a prompt, all its parts, and numbers: none is told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.fake_server import Script
from tests.transport.no_secret.echoes import UNESCAPED, chat_reply, refusal
from tests.transport.no_secret.leaks import CYRILLIC, PLAIN, SECRET, leaks, one_text, told_of


def _asked(text: str) -> str:
    """The request as this client writes it: in ASCII."""
    return json.dumps({"messages": [{"role": "user", "content": text}]})


def _as_dotnet(text: str) -> str:
    return "".join(f"\\u{ord(c):04X}" if ord(c) > 127 else c for c in text)


def _as_go(text: str) -> str:
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text))


_CODE = "def f():\n    a = 1\n    b = 2\n    c = 3\n    d = 4\n    e = 5"
_FACES = "🦓🔑🐘🦊🐙🦉🐢🦋" * 3
_SIGNS = '{"a":["\\n"]}[{"b":["\\t"]}]'
_MILK = "молоко около полки мол помол клён комок полон"
_QUOTES = """a'"b'"c'"d'"e'"f'"g'"h'"i'"j'"k'"l"""
_DETAIL = UNESCAPED["a list of details"]
SPELLINGS: dict[str, tuple[str, Script]] = {
    "the request in a field of an error without a message": (
        CYRILLIC,
        refusal({"error": {"input": _asked(CYRILLIC)}}),
    ),
    "the request in a list of details": (CYRILLIC, _DETAIL(_asked(CYRILLIC))),
    "the request within a list": (CYRILLIC, refusal(json.dumps([_asked(CYRILLIC)]))),
    "escapes in upper case": (_MILK, refusal({"error": _as_dotnet(_MILK)})),
    "escapes of what HTML needs": ("<a><b><c>&&<d><e><f>", refusal({"error": _as_go("<a><b><c>&&<d><e><f>")})),
    "indented lines, escaped": (_CODE, refusal({"error": _asked(_CODE)})),
    "both quotes, as Python writes them": (_QUOTES, _DETAIL(_QUOTES)),
    "pairs of surrogates": (_FACES, refusal({"error": _asked(_FACES)})),
    "signs and quotes, escaped": (_SIGNS, refusal({"error": _asked(_SIGNS)})),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_another_spelling_of_the_prompt_is_not_told_either(name: str) -> None:
    prompt, script = SPELLINGS[name]
    told = told_of(script, PLAIN, messages=({"role": "user", "content": prompt},))
    if not told.error:
        pytest.fail("nothing went wrong")
    assert leaks(one_text(told.error), (prompt,)) == []


_CALL = {"name": "f", "arguments": json.dumps({"q": CYRILLIC})}
_TABLE = {"name": "f", "arguments": {"q": r"C:\a\b\c\d\e\f\g\h\i\j\k"}}
PARTS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "an image": (SECRET, {"content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{SECRET}"}}]}),
    "a sound": (SECRET, {"content": [{"type": "input_audio", "input_audio": {"data": SECRET, "format": "wav"}}]}),
    "a file": (SECRET, {"content": [{"type": "file", "file": {"file_data": SECRET, "filename": "x"}}]}),
    "earlier reasoning": (SECRET, {"role": "assistant", "content": "x", "reasoning_content": SECRET}),
    "an earlier refusal": (SECRET, {"role": "assistant", "refusal": SECRET}),
    "a name": (SECRET, {"content": "x", "name": SECRET}),
    "an old function call": (SECRET, {"role": "assistant", "function_call": {"name": "f", "arguments": SECRET}}),
    "arguments, decoded": (CYRILLIC, {"role": "assistant", "tool_calls": [{"id": "c", "function": _CALL}]}),
    "arguments that are no text": (
        _TABLE["arguments"]["q"],
        {"role": "assistant", "tool_calls": [{"id": "c", "function": _TABLE}]},
    ),  # type: ignore[index]
}


@pytest.mark.parametrize("name", PARTS)
def test_no_part_of_a_message_is_told(name: str) -> None:
    secret, message = PARTS[name]
    told = told_of(refusal({"error": f"cannot use {secret}"}), PLAIN, messages=({"role": "user", **message},))
    if not told.error:
        pytest.fail("nothing went wrong")
    assert leaks(one_text(told.error), (secret,)) == []


def test_a_tool_and_a_schema_are_the_callers_own_words() -> None:
    """A control: what a server says about them is told, as it must be to be of use."""
    told = told_of(refusal({"error": "the tool get_weather has no parameters"}), PLAIN)
    assert "get_weather has no parameters" in told.error[0]


CARD = "411111222233"


@pytest.mark.parametrize(
    "script",
    [
        refusal({}, "429 Slow", retry_after=CARD),
        chat_reply(usage={"prompt_tokens": int(CARD), "completion_tokens": 1}),
    ],
    ids=["Retry-After", "tokens"],
)
def test_a_prompt_of_digits_does_not_come_back_as_a_number(script: Script) -> None:
    told = told_of(script, PLAIN, messages=({"role": "user", "content": CARD},))
    assert CARD not in " ".join([*told.error, told.rows])


@pytest.mark.parametrize(
    "script",
    [
        refusal({}, "429 Slow", retry_after="Wed, 21 Oct 4111111111111111 07:28:00 GMT"),
        chat_reply(usage={"prompt_tokens": 4111111111111111, "completion_tokens": 1}),
    ],
    ids=["Retry-After", "tokens"],
)
def test_a_number_beyond_all_bounds_is_no_foreign_error(script: Script) -> None:
    assert told_of(script, PLAIN).code in ("ok", "rate_limited", "protocol")
