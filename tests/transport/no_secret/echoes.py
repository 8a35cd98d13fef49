"""What is sent, and servers that write it into their answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.support.bound import COMPLETION
from tests.support.bound_async import Way
from tests.support.fake_server import Reply, Script, http, sse
from tests.transport.no_secret.leaks import Material, Told, told_of

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


def chat_reply(**change: Any) -> bytes:
    return http(json.dumps(COMPLETION | change))


def _choice(**choice: Any) -> bytes:
    return chat_reply(
        choices=[{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"} | choice]
    )


def refusal(body: Any, status: str = "400 Bad Request", **headers: str) -> bytes:
    return http(body if isinstance(body, str) else json.dumps(body), status=status, **headers)


def _bad_call(text: str) -> bytes:
    call = {"id": "c", "type": "function", "function": {"name": text, "arguments": text}}
    return _choice(message={"role": "assistant", "tool_calls": [call]}, finish_reason="tool_calls")


def _raw(text: str) -> Reply:
    return Reply(text.encode())


Place = Callable[[str], Script]
BODIES: dict[str, Place] = {
    "the message": lambda text: refusal({"error": {"message": text, "type": text, "code": text, "param": text}}),
    "a text": lambda text: refusal({"error": text}),
    "a message at the top": lambda text: refusal({"message": text}),
    "plain text": lambda text: refusal(text),
    "the message of a 401": lambda text: refusal({"error": {"message": text}}, "401 Unauthorized"),
    "the message of a 404": lambda text: refusal({"error": {"message": text}}, "404 Not Found"),
    "the message of a 429": lambda text: refusal({"error": {"message": text}}, "429 Slow", retry_after="1"),
    "the message of a 503": lambda text: refusal({"error": {"message": f"loading {text}"}}, "503 Loading"),
    "the message of too long a context": lambda text: refusal({"error": {"message": f"context length {text}"}}),
    "far behind, cut by length": lambda text: refusal({"error": {"message": "x" * 280 + text}}),
    "a page": lambda text: refusal(f"<html><pre>{text}</pre></html>", "502 Bad Gateway"),
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
    "usage of words": lambda text: chat_reply(usage={"prompt_tokens": text, "completion_tokens": {text: text}}),
    "the model's name": lambda text: chat_reply(model=text),
    "the finish reason": lambda text: _choice(finish_reason=text),
    "other names": lambda text: chat_reply(id=text, object=text, system_fingerprint=text, provider=text),
}
"""What a server may write into a body."""
UNESCAPED: dict[str, Place] = {
    "a list": lambda text: refusal(json.dumps([text])),
    "an error without a message": lambda text: refusal({"error": {"type": text, "input": {"input": text}}}),
    "a list of details": lambda text: refusal({"detail": [{"msg": text, "input": text, "loc": [text]}]}, "422 No"),
    "split across fields": lambda text: refusal(
        {"error": {"a": text[: len(text) // 3], "b": text[len(text) // 3 : -9], "c": text[-9:]}}
    ),
    "the names of fields": lambda text: refusal({text: {text: text}}),
}
"""Where we write JSON or Python of it ourselves: what is escaped already is escaped twice then."""
LINES: dict[str, Place] = {
    "Retry-After": lambda text: refusal({}, "429 Slow Down", retry_after=_line(text)),
    "Location": lambda text: refusal({}, "302 Found", location=_line(text)),
    "a cookie": lambda text: refusal({}, set_cookie=f"a={_line(text)}"),
    "Content-Type": lambda text: http(json.dumps(COMPLETION), content_type=_line(text)),
    "Content-Encoding": lambda text: http(json.dumps({}), content_encoding=_line(text)),
    "the reason of the status": lambda text: refusal({}, f"400 {_line(text)}"),
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
