"""Looking for leaks: what a call left behind, and which pieces of what was sent are in it.

Looked at: the error with all that Python keeps of it, the errors behind it, the records of every logger, the usage
log, and what the command line prints. A piece of 12 characters of a prompt, or of 6 of a key or a header value, is a
leak, also where it is written with the escapes of JSON or of Python.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from aldo.errors import AldoError
from aldo.transport import AsyncModelClient, ChatRequest, EmbeddingRequest, ModelClient
from aldo.transport.usage_log import UsageLog
from tests.support.bound import bind, entry
from tests.support.bound_async import Way, bind_async
from tests.support.fake_server import FakeServer, Script

PROMPT_PIECE, KEY_PIECE = 12, 6
USER, PASSWORD = "me:hunter2-QWRTZPSDF@", "hunter2-QWRTZPSDF"
BASIC = "Basic bWU6aHVudGVyMi1RV1JUWlBTREY="
# Every example starts a server: what fails is not made smaller.
FEW = settings(max_examples=4, phases=(Phase.generate,), report_multiple_bugs=False)
FEWER = settings(FEW, max_examples=2)


def _unescaped(text: str) -> str:
    """With one level of the escapes of JSON and Python taken away."""
    plain = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}

    def character(found: re.Match[str]) -> str:
        word = found[1]
        return chr(int(word[1:], 16)) if len(word) > 1 else plain.get(word, word)

    done = re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", character, text)
    return done.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _readings(text: str) -> Iterator[str]:
    """All that a reader could make of it without effort."""
    for _ in range(4):
        yield text
        yield " ".join(text.split())
        yield text.encode("latin-1", "replace").decode("utf-8", "replace")
        text = _unescaped(text)


def _pieces(secret: str, size: int) -> set[str]:
    """What may not be told. Pieces of few different characters are no evidence."""
    forms = {secret, " ".join(secret.split())}
    pieces = {form[at : at + size] for form in forms for at in range(len(form) - size + 1)}
    return {piece for piece in pieces if len(set(piece)) >= 4}


def one_text(told: Sequence[str]) -> str:
    """Several texts as one in which no piece runs from one into the next."""
    return "\x01".join(told)


def leaks(told: str, prompts: Sequence[str], keys: Sequence[str] = ()) -> list[str]:
    """The pieces of prompts and keys that a text tells."""
    pieces = set().union(
        *(_pieces(text, PROMPT_PIECE) for text in prompts), *(_pieces(text, KEY_PIECE) for text in keys)
    )
    readings = "\x01".join(dict.fromkeys(_readings(told)))
    return sorted(piece for piece in pieces if piece in readings)


@dataclass(frozen=True)
class Material:
    """All that is sent and nobody may tell."""

    prompt: str
    system: str
    argument: str
    key: str
    header: str

    @property
    def all(self) -> str:
        return " ".join((self.prompt, self.system, self.argument, self.key, self.header))

    def found_in(self, told: str) -> list[str]:
        return leaks(told, (self.prompt, self.system, self.argument), (self.key, self.header))


@dataclass
class Told:
    """What one failed call, or one that went well, left behind."""

    error: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    rows: str = ""
    code: str = "ok"


def words_of(error: BaseException) -> list[str]:
    told = [str(error), repr(error), repr(error.args), repr(getattr(error, "__notes__", []))]
    if isinstance(error, AldoError):
        own = {name: value for name, value in vars(error).items() if name != "result"}  # the answer is the caller's
        told += [repr(own), json.dumps(error.to_dict(), ensure_ascii=False)]
    return [*told, *(line.rstrip() for line in traceback.format_exception(error))]


def errors_behind(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    left: list[BaseException | None] = [error.__cause__, error.__context__]
    while left:
        found = left.pop()
        if found is not None and found not in seen:
            seen.append(found)
            left += [found.__cause__, found.__context__]
            yield found


class _Ear(logging.Handler):
    def __init__(self, told: list[str]) -> None:
        super().__init__(level=1)
        self._told = told
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._told += [self.format(record), repr(record.args)]


@contextmanager
def heard(told: list[str]) -> Iterator[None]:
    """Every record of every logger, down to the lowest level."""
    root, ear = logging.getLogger(), _Ear(told)
    level = root.level
    root.addHandler(ear)
    root.setLevel(1)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(ear)


def _called(client: ModelClient, way: Way, request: ChatRequest, inputs: Sequence[str]) -> None:
    if way == "chat":
        client.chat(request)
    elif way == "stream":
        for _ in client.stream(request):
            pass
    else:
        client.embed(EmbeddingRequest(tuple(inputs)))


async def _called_async(client: AsyncModelClient, way: Way, request: ChatRequest, inputs: Sequence[str]) -> None:
    async with client:
        if way == "chat":
            await client.chat(request)
        elif way == "stream":
            async for _ in client.stream(request):
                pass
        else:
            await client.embed(EmbeddingRequest(tuple(inputs)))


def messages_of(sent: Material) -> tuple[Mapping[str, Any], ...]:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": sent.argument}}
    return (
        {"role": "system", "content": sent.system},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "done"},
        {"role": "user", "content": [{"type": "text", "text": sent.prompt}]},
    )


def told_of(
    script: Script, sent: Material, way: Way = "chat", user: str = "", blocking: bool = True, **more: Any
) -> Told:
    """What is left after a call to a server that answers so."""
    told = Told()
    request = ChatRequest(messages=more.pop("messages", None) or messages_of(sent), max_tokens=8, **more)
    with tempfile.TemporaryDirectory() as folder, FakeServer([script]) as server:
        url = server.url.replace("http://", f"http://{user}")
        model = entry(config={"baseUrl": url, "apiKeyEnv": "KEY", "headers": {"X-Tenant": sent.header}})
        path = Path(folder) / "usage.jsonl"
        with UsageLog(path) as log, heard(told.logs):
            # Who has a user in the URL has no key besides: only one of them can be sent.
            environ = {} if user else {"KEY": sent.key}
            inputs = (sent.prompt, sent.system, sent.argument)
            try:
                if blocking:
                    with bind(model, environ=environ, on_usage=log.write) as client:
                        _called(client, way, request, inputs)
                else:
                    other = bind_async(model, privacy="public", environ=environ, on_usage=log.write)
                    asyncio.run(_called_async(other, way, request, inputs))
            except AldoError as error:
                told.code = error.code
                told.error = words_of(error)
                told.behind = [text for cause in errors_behind(error) for text in words_of(cause)]
        told.rows = path.read_text(encoding="utf-8")
    if [seen.headers["authorization"] for seen in server.seen] != [BASIC if user else f"Bearer {sent.key}"]:
        pytest.fail("the server did not see the request")
    return told


SECRET = "the launch code is 0042-delta"
PLAIN = Material(
    SECRET, "answer like a Quokka-9", '{"path": "Zebra-7/inner"}', "sk-QWRTZPSDFGHJKL", "tenant-VBNMYXHJKZ"
)
CYRILLIC = "Пароль от сейфа сорок два ноль семь"
