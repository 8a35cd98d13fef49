"""Keeps prompts, keys and header values out of what servers say: they like to echo what they refuse.

What was sent and what was said are compared by their letters and digits alone, with the escapes of JSON, HTML and
Python undone: so another spelling of a prompt is the same prompt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any

_MARK = "[withheld]"
_KEY_PIECE = 6  # characters of a key that an error may not hold in a row
_PROMPT_PIECE = 12  # the same for a prompt; shorter runs are words that an error may hold by itself
_PROMPT_LETTERS = 8  # the same, where only letters and digits count
_SHORTEST_PROMPT = 6  # a prompt this short is withheld only as a whole, and one of still fewer letters is no secret
_ESCAPE = re.compile(r"(?:(?:\\x|%)[0-9a-fA-F]{2})+|((?:\\+u\{?[0-9a-fA-F]{4}\}?)+)|\\+[nrtbf]|&#?\w{1,8};")
_SIGNS = re.compile(r"[\x00-/:-@\[-`{-\x7f\s]+")  # what does not count: signs of ASCII, and space of every script
_UNIT = re.compile(r"u\{?([0-9a-fA-F]{4})")

Place = tuple[str, int, int]
"""A character that is compared, and where in the message it begins and ends."""


class Redactor:
    """Takes what a server said and gives it without any longer piece of what was sent to it."""

    def __init__(self, texts: Iterable[str], headers: Mapping[str, str]) -> None:
        self._exact: list[tuple[str, int]] = []
        self._letters: list[tuple[str, int]] = []
        for name, value in headers.items():
            if name == "accept":
                continue  # ours, and no secret
            self._keep_out(value.removeprefix("Bearer ").strip(), _KEY_PIECE, _KEY_PIECE)
        for text in texts:
            self._keep_out(text.strip(), _PROMPT_PIECE, _PROMPT_LETTERS)

    def _keep_out(self, secret: str, piece: int, letters: int) -> None:
        folded = " ".join(secret.split())  # as messages are told
        plain = {form for text in (secret, folded) for form in (text, json.dumps(text)[1:-1])}
        for form in {*plain, json.dumps(secret, ensure_ascii=False)[1:-1]}:
            if len(form) >= min(piece, _SHORTEST_PROMPT):
                self._exact.append((form, min(piece, len(form))))
        spelled = _SIGNS.sub("", _ESCAPE.sub(_undone, secret).casefold())  # as `_letters`, for texts of any length
        if len(spelled) >= min(letters, _SHORTEST_PROMPT):
            self._letters.append((spelled, min(letters, len(spelled))))

    def __call__(self, message: str) -> str:
        message = _without(message, list(_letters(message)), self._letters)
        return _without(message, [(letter, at, at + 1) for at, letter in enumerate(message)], self._exact)


def _without(message: str, places: list[Place], secrets: list[tuple[str, int]]) -> str:
    said = "".join(letter for letter, _, _ in places)
    kept: list[str] = []
    told = at = 0  # how much of the message is dealt with, and how many of its places
    while at < len(said):
        run = max((_run(said, at, *secret) for secret in secrets), default=0)
        if not run:
            at += 1
            continue
        kept += [message[told : places[at][1]], _MARK]
        told = places[at + run - 1][2]
        at += run
    return "".join([*kept, message[told:]])


def _letters(text: str) -> Iterator[Place]:
    """The letters and digits of a text in lower case, escapes undone, each with where it begins and ends."""
    at = 0
    for escape in _ESCAPE.finditer(text):
        yield from _plain(text, at, escape.start())
        for letter in _undone(escape):
            yield from ((small, escape.start(), escape.end()) for small in letter.casefold() if not _SIGNS.match(small))
        at = escape.end()
    yield from _plain(text, at, len(text))


def _plain(text: str, start: int, end: int) -> Iterator[Place]:
    for place in range(start, end):
        for small in text[place].casefold():
            if not _SIGNS.match(small):
                yield small, place, place + 1


def _undone(escape: re.Match[str]) -> str:
    """What an escape stands for; nothing for one that is no letter."""
    written = escape[0]
    if escape[1]:
        units = bytes.fromhex("".join(_UNIT.findall(escape[1])))  # two of them may be one sign
        return units.decode("utf-16-be", "replace")
    if written.startswith(("\\x", "%")):
        return bytes.fromhex(written.replace("\\x", "").replace("%", "")).decode("utf-8", "replace")
    return unescape(written) if written.startswith("&") else ""


def _run(said: str, at: int, secret: str, piece: int) -> int:
    """How many letters from `at` on occur in the secret in a row; 0 where fewer than `piece`."""
    end = at + piece
    if end > len(said) or said[at:end] not in secret:
        return 0
    while end < len(said) and said[at : end + 1] in secret:
        end += 1
    return end - at


def said_in(messages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """All that the messages of a chat say: every text in them, and those of JSON that is a text itself."""
    for message in messages:
        for name, value in message.items():
            if name not in ("role", "tool_call_id"):
                yield from _texts(value)


_NAMES = frozenset(("type", "id", "role", "format", "detail"))
"""Fields of the protocol: what they hold are its own words."""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if value[:1] in "{[":
            try:
                yield from _texts(json.loads(value))
            except (ValueError, RecursionError):
                return
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _NAMES:
                yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
