"""What was sent to a server is nowhere in what we say of its failure, wherever and however the server sends it back.

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from aldo.errors import AldoError
from aldo.transport import AsyncModelClient, ChatRequest, EmbeddingRequest, ModelClient, json_schema_format
from aldo.transport.usage_log import UsageLog
from tests.support.bound import COMPLETION, bind, entry
from tests.support.bound_async import WAYS, Way, bind_async
from tests.support.cli import aldo
from tests.support.fake_server import FakeServer, Reply, Script, http, sse

PROMPT_PIECE, KEY_PIECE = 12, 6
USER, PASSWORD = "me:hunter2-QWRTZPSDF@", "hunter2-QWRTZPSDF"
BASIC = "Basic bWU6aHVudGVyMi1RV1JUWlBTREY="
# Every example starts a server: what fails is not made smaller.
FEW = settings(max_examples=4, phases=(Phase.generate,), report_multiple_bugs=False)
FEWER = settings(FEW, max_examples=2)

# Looking for leaks -----------------------------------------------------------------------------------------


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


def _all(told: Sequence[str]) -> str:
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


def _of(error: BaseException) -> list[str]:
    told = [str(error), repr(error), repr(error.args), repr(getattr(error, "__notes__", []))]
    if isinstance(error, AldoError):
        own = {name: value for name, value in vars(error).items() if name != "result"}  # the answer is the caller's
        told += [repr(own), json.dumps(error.to_dict(), ensure_ascii=False)]
    return [*told, *(line.rstrip() for line in traceback.format_exception(error))]


def _behind(error: BaseException) -> Iterator[BaseException]:
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
                told.error = _of(error)
                told.behind = [text for cause in _behind(error) for text in _of(cause)]
        told.rows = path.read_text(encoding="utf-8")
    if [seen.headers["authorization"] for seen in server.seen] != [BASIC if user else f"Bearer {sent.key}"]:
        pytest.fail("the server did not see the request")
    return told


# What is sent ----------------------------------------------------------------------------------------------

_SCRIPTS = ("abcdefghijklmnop0123456789", "абвгдежзиклмнопрстуфхц", "日本語文字列漢字仮名交文書物", "aéßñøçłžğxyz")


def _varied(text: str) -> bool:
    return len(set(text)) >= 8 and len(text.strip()) >= 14


def _said(script: str) -> st.SearchStrategy[str]:
    word = st.text(script, min_size=5, max_size=9)
    between = st.sampled_from((" ", "\n", ", ", '"', ": "))
    pairs = st.lists(st.tuples(word, between), min_size=4, max_size=8)
    return pairs.map(lambda found: "".join(map("".join, found)).strip())


# What is no word, and white space that is not single, comes in the last part.
_PROMPTS = st.sampled_from(_SCRIPTS).flatmap(_said).filter(_varied)
# No letters of a hexadecimal digest, in which a piece could stand by chance.
_KEYS = st.text("GHJKLMNPQRSTUVWXYZghjkmnpqrtuvwxyz-_.", min_size=16, max_size=40).filter(_varied)


MATERIALS = st.builds(Material, _PROMPTS, _PROMPTS, _PROMPTS, _KEYS, _KEYS)

Style = Callable[[str], str]
STYLES: dict[str, Style] = {
    "as it is": lambda text: text,
    "within a sentence": lambda text: f"cannot serve {text} here",
    "twice": lambda text: text + text,
    "the first half": lambda text: text[: len(text) // 2],
    "the second half": lambda text: text[len(text) // 2 :],
    "the middle, cut": lambda text: f"...{text[5:-5]}...",
}
ESCAPED: dict[str, Style] = {
    "as JSON in ASCII": lambda text: json.dumps(text),
    "as JSON": lambda text: json.dumps(text, ensure_ascii=False),
    "as JSON, cut": lambda text: json.dumps(text)[3:-7],
}


def _line(text: str) -> str:
    return " ".join(text.split())


def _chat(**change: Any) -> bytes:
    return http(json.dumps(COMPLETION | change))


def _choice(**choice: Any) -> bytes:
    return _chat(
        choices=[{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"} | choice]
    )


def _refused(body: Any, status: str = "400 Bad Request", **headers: str) -> bytes:
    return http(body if isinstance(body, str) else json.dumps(body), status=status, **headers)


def _bad_call(text: str) -> bytes:
    call = {"id": "c", "type": "function", "function": {"name": text, "arguments": text}}
    return _choice(message={"role": "assistant", "tool_calls": [call]}, finish_reason="tool_calls")


def _raw(text: str) -> Reply:
    return Reply(text.encode())


Place = Callable[[str], Script]
BODIES: dict[str, Place] = {
    "the message": lambda text: _refused({"error": {"message": text, "type": text, "code": text, "param": text}}),
    "a text": lambda text: _refused({"error": text}),
    "a message at the top": lambda text: _refused({"message": text}),
    "plain text": lambda text: _refused(text),
    "the message of a 401": lambda text: _refused({"error": {"message": text}}, "401 Unauthorized"),
    "the message of a 404": lambda text: _refused({"error": {"message": text}}, "404 Not Found"),
    "the message of a 429": lambda text: _refused({"error": {"message": text}}, "429 Slow", retry_after="1"),
    "the message of a 503": lambda text: _refused({"error": {"message": f"loading {text}"}}, "503 Loading"),
    "the message of too long a context": lambda text: _refused({"error": {"message": f"context length {text}"}}),
    "far behind, cut by length": lambda text: _refused({"error": {"message": "x" * 280 + text}}),
    "a page": lambda text: _refused(f"<html><pre>{text}</pre></html>", "502 Bad Gateway"),
    "a page of 200": lambda text: http(f"<html><pre>{text}</pre></html>"),
    "an error of 200": lambda text: http(json.dumps({"error": {"message": text}})),
    "no JSON": lambda text: http(text),
    "JSON that is cut": lambda text: http(json.dumps({"choices": text})[:-3]),
    "an error in the stream": lambda text: sse(f"data: {json.dumps({'error': {'message': text}})}\n\n".encode()),
    "llama.cpp's error field": lambda text: sse(f"error: {json.dumps({'message': text})}\n\n".encode()),
    "a frame that is no JSON": lambda text: sse(f"data: {_line(text)}\n\n".encode()),
    "a frame that is no object": lambda text: sse(f"data: {json.dumps(text)}\n\n".encode()),
    "a stream that is cut": lambda text: sse(
        f'data: {{"choices": [{{"delta": {{"content": {json.dumps(text)}'.encode()
    ),
    "a tool call that cannot be read": _bad_call,
    "embeddings of words": lambda text: http(json.dumps({"data": [{"embedding": text, "index": text}] * 3})),
    "usage of words": lambda text: _chat(usage={"prompt_tokens": text, "completion_tokens": {text: text}}),
    "the model's name": lambda text: _chat(model=text),
    "the finish reason": lambda text: _choice(finish_reason=text),
    "other names": lambda text: _chat(id=text, object=text, system_fingerprint=text, provider=text),
}
"""What a server may write into a body."""
UNESCAPED: dict[str, Place] = {
    "a list": lambda text: _refused(json.dumps([text])),
    "an error without a message": lambda text: _refused({"error": {"type": text, "input": {"input": text}}}),
    "a list of details": lambda text: _refused({"detail": [{"msg": text, "input": text, "loc": [text]}]}, "422 No"),
    "split across fields": lambda text: _refused(
        {"error": {"a": text[: len(text) // 3], "b": text[len(text) // 3 : -9], "c": text[-9:]}}
    ),
    "the names of fields": lambda text: _refused({text: {text: text}}),
}
"""Where we write JSON or Python of it ourselves: what is escaped already is escaped twice then."""
LINES: dict[str, Place] = {
    "Retry-After": lambda text: _refused({}, "429 Slow Down", retry_after=_line(text)),
    "Location": lambda text: _refused({}, "302 Found", location=_line(text)),
    "a cookie": lambda text: _refused({}, set_cookie=f"a={_line(text)}"),
    "Content-Type": lambda text: http(json.dumps(COMPLETION), content_type=_line(text)),
    "Content-Encoding": lambda text: http(json.dumps({}), content_encoding=_line(text)),
    "the reason of the status": lambda text: _refused({}, f"400 {_line(text)}"),
}
BROKEN: dict[str, Place] = {
    "a header that is none": lambda text: _raw(f"HTTP/1.1 200 OK\r\n{_line(text)} \r\n\r\n"),
    "a status that is none": lambda text: _raw(f"HTTP/9 {_line(text)}\r\n\r\n"),
    "no HTTP at all": lambda text: _raw(f"{_line(text)}\r\n\r\n"),
    "a chunk that is none": lambda text: _raw(
        f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{_line(text)}\r\n"
    ),
    "a length that is none": lambda text: _raw(f"HTTP/1.1 200 OK\r\ncontent-length: {_line(text)}\r\n\r\n"),
    "a transfer coding that is none": lambda text: _raw(f"HTTP/1.1 200 OK\r\ntransfer-encoding: {_line(text)}\r\n\r\n"),
}
ALL: dict[str, Place] = BODIES | UNESCAPED | LINES | BROKEN
QUOTED = (
    "a header that is none",
    "a status that is none",
    "no HTTP at all",
    "a chunk that is none",
    "embeddings of words",
)
"""What an error of another library quotes."""


def styles_for(place: str) -> st.SearchStrategy[Style]:
    known = STYLES if place in UNESCAPED else STYLES | ESCAPED
    return st.sampled_from(list(known.values()))


def echo_of(data: st.DataObject, place: str) -> tuple[Told, Material]:
    """A call whose server sends something of it back, in one of the ways for that place."""
    sent = data.draw(MATERIALS)
    way: Way = data.draw(st.sampled_from(("chat", "stream", "embed")))
    echoed = data.draw(st.sampled_from((sent.prompt, sent.system, sent.argument, sent.key, sent.header, sent.all)))
    script = ALL[place](data.draw(styles_for(place))(echoed))
    return told_of(script, sent, way, blocking=data.draw(st.booleans())), sent


@pytest.mark.parametrize("place", ALL)
@given(data=st.data())
@FEW
def test_no_error_and_no_usage_row_holds_what_was_sent(place: str, data: st.DataObject) -> None:
    told, sent = echo_of(data, place)
    assert told.error or told.code == "ok"
    assert sent.found_in(_all(told.error)) == []
    assert told.rows.count("\n") == 1
    assert sent.found_in(told.rows) == []


@pytest.mark.parametrize("place", [*BODIES, *UNESCAPED])
@given(data=st.data())
@FEWER
def test_no_logger_is_told_what_was_sent(place: str, data: st.DataObject) -> None:
    told, sent = echo_of(data, place)
    assert any("httpx" in text for text in told.logs)  # somebody listened
    assert sent.found_in(_all(told.logs)) == []


@pytest.mark.parametrize("place", ALL)
@given(data=st.data())
@FEWER
def test_no_error_behind_the_error_holds_what_was_sent(place: str, data: st.DataObject) -> None:
    told, sent = echo_of(data, place)
    assert sent.found_in(_all(told.behind)) == []


# An answer that does not fit its schema ----------------------------------------------------------------------

SECRET = "the launch code is 0042-delta"
PLAIN = Material(
    SECRET, "answer like a Quokka-9", '{"path": "Zebra-7/inner"}', "sk-QWRTZPSDFGHJKL", "tenant-VBNMYXHJKZ"
)
CYRILLIC = "Пароль от сейфа сорок два ноль семь"


@pytest.mark.parametrize("text", [SECRET, CYRILLIC, 'a "b" c/d~e\nf and some more'])
@pytest.mark.parametrize("way", ["chat", "stream"])
def test_what_is_wrong_with_an_answer_is_told_without_the_prompt(text: str, way: Way) -> None:
    sent = Material(text, *(PLAIN.system, PLAIN.argument, PLAIN.key, PLAIN.header))
    schema = {"additionalProperties": {"type": "integer", "enum": [1]}, "maxProperties": 1}
    answer = json.dumps({text: text, sent.key: {sent.system: text}})
    body = COMPLETION | {"choices": [{"message": {"content": answer}, "finish_reason": "stop"}]}
    told = told_of(http(json.dumps(body)), sent, way, response_format=json_schema_format(schema))
    assert told.code == "schema_mismatch"
    assert sent.found_in(_all([*told.error, *told.behind, *told.logs, told.rows])) == []


# Passwords in a base URL -------------------------------------------------------------------------------------

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
            told += [text for one in (error, *_behind(error)) for text in _of(one)]
    assert leaks(_all(told), (), (password,)) == []


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
    told = told_of(_refused({"error": f"wrong: {said}"}, "401 No"), PLAIN, user=USER)
    assert leaks(_all(told.error), (), (said,)) == []


# What the libraries below write into logs, at levels that people do turn on ---------------------------------


def test_a_password_in_a_base_url_is_in_no_log() -> None:
    told = told_of(http(json.dumps(COMPLETION)), PLAIN, user=USER)
    assert leaks(_all(told.logs), (), (PASSWORD,)) == []


@pytest.mark.parametrize("place", LINES)
def test_no_logger_but_httpcores_is_told_what_a_server_writes_above_the_body(place: str) -> None:
    """httpcore writes all headers at DEBUG; docs/explanation/privacy.md says so."""
    told = told_of(LINES[place](SECRET), PLAIN)
    records = [told.logs[i : i + 2] for i in range(0, len(told.logs), 2)]
    others = [text for record in records for text in record if not record[0].startswith("DEBUG httpcore.")]
    assert any("httpx" in text for text in others)
    assert PLAIN.found_in(_all(others)) == []


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "async"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", QUOTED)
def test_no_error_behind_the_error_quotes_what_came(place: str, way: Way, blocking: bool) -> None:
    """Errors of other libraries do: h11's of a line that is none, Python's of a text that is not ASCII."""
    sent = Material(CYRILLIC if place in BODIES else SECRET, PLAIN.system, PLAIN.argument, PLAIN.key, PLAIN.header)
    told = told_of(ALL[place](sent.prompt), sent, way, blocking=blocking)
    assert told.error
    assert sent.found_in(_all(told.behind)) == []


# Other spellings of a prompt, and all its parts ---------------------------------------------------------------


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
        _refused({"error": {"input": _asked(CYRILLIC)}}),
    ),
    "the request in a list of details": (CYRILLIC, _DETAIL(_asked(CYRILLIC))),
    "the request within a list": (CYRILLIC, _refused(json.dumps([_asked(CYRILLIC)]))),
    "escapes in upper case": (_MILK, _refused({"error": _as_dotnet(_MILK)})),
    "escapes of what HTML needs": ("<a><b><c>&&<d><e><f>", _refused({"error": _as_go("<a><b><c>&&<d><e><f>")})),
    "indented lines, escaped": (_CODE, _refused({"error": _asked(_CODE)})),
    "both quotes, as Python writes them": (_QUOTES, _DETAIL(_QUOTES)),
    "pairs of surrogates": (_FACES, _refused({"error": _asked(_FACES)})),
    "signs and quotes, escaped": (_SIGNS, _refused({"error": _asked(_SIGNS)})),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_another_spelling_of_the_prompt_is_not_told_either(name: str) -> None:
    prompt, script = SPELLINGS[name]
    told = told_of(script, PLAIN, messages=({"role": "user", "content": prompt},))
    if not told.error:
        pytest.fail("nothing went wrong")
    assert leaks(_all(told.error), (prompt,)) == []


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
    told = told_of(_refused({"error": f"cannot use {secret}"}), PLAIN, messages=({"role": "user", **message},))
    if not told.error:
        pytest.fail("nothing went wrong")
    assert leaks(_all(told.error), (secret,)) == []


def test_a_tool_and_a_schema_are_the_callers_own_words() -> None:
    """A control: what a server says about them is told, as it must be to be of use."""
    told = told_of(_refused({"error": "the tool get_weather has no parameters"}), PLAIN)
    assert "get_weather has no parameters" in told.error[0]


# Numbers ----------------------------------------------------------------------------------------------------

CARD = "411111222233"


@pytest.mark.parametrize(
    "script",
    [
        _refused({}, "429 Slow", retry_after=CARD),
        _chat(usage={"prompt_tokens": int(CARD), "completion_tokens": 1}),
    ],
    ids=["Retry-After", "tokens"],
)
def test_a_prompt_of_digits_does_not_come_back_as_a_number(script: Script) -> None:
    told = told_of(script, PLAIN, messages=({"role": "user", "content": CARD},))
    assert CARD not in " ".join([*told.error, told.rows])


@pytest.mark.parametrize(
    "script",
    [
        _refused({}, "429 Slow", retry_after="Wed, 21 Oct 4111111111111111 07:28:00 GMT"),
        _chat(usage={"prompt_tokens": 4111111111111111, "completion_tokens": 1}),
    ],
    ids=["Retry-After", "tokens"],
)
def test_a_number_beyond_all_bounds_is_no_foreign_error(script: Script) -> None:
    assert told_of(script, PLAIN).code in ("ok", "rate_limited", "protocol")


# The command line -------------------------------------------------------------------------------------------

CHAT = ("chat", "--class", "local-reasoning", "--privacy", "sensitive", "--retries", "0")


@pytest.mark.parametrize(
    ("place", "more"),
    [
        ("the message", ()),
        ("a list of details", ("--json",)),
        ("a header that is none", ()),
        ("a tool call that cannot be read", ("--json",)),
    ],
)
def test_the_command_line_tells_nothing_of_it(place: str, more: tuple[str, ...], tmp_path: Path) -> None:
    """Neither on standard output nor beside it, nor in the usage log."""
    catalog, usage = tmp_path / "models.json", tmp_path / "usage.jsonl"
    sent = Material(PLAIN.prompt, PLAIN.system, PLAIN.prompt, PLAIN.key, PLAIN.header)
    with FakeServer([ALL[place](sent.all)]) as server:
        config = {"baseUrl": server.url, "apiKeyEnv": "THE_KEY", "headers": {"X-Tenant": PLAIN.header}}
        head = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog"}
        catalog.write_text(json.dumps(head | {"models": [entry(config=config)]}), encoding="utf-8")
        arguments = ("--catalog", str(catalog), "--usage", str(usage), "--system", PLAIN.system, *more)
        done = aldo(*CHAT, *arguments, PLAIN.prompt, THE_KEY=PLAIN.key)
        assert PLAIN.key in server.seen[0].headers["authorization"]
    assert done.returncode == 3
    assert bool(done.stdout.strip()) == bool(more)
    if more:
        assert set(json.loads(done.stdout)) == {"error"}
    rows = usage.read_text(encoding="utf-8")
    assert rows.count("\n") == 1
    assert sent.found_in(done.stdout + done.stderr + rows) == []


def test_a_prompt_without_quotes_is_not_told_as_bad_usage() -> None:
    done = aldo(*CHAT, "--json", *SECRET.split())
    assert leaks(done.stdout + done.stderr, (SECRET,)) == []
