"""What was asked and answered, and every key, is in no log, metric, usage row, error or span."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aldo.api import Settings, create_app
from aldo.api.door.keys import add_key
from aldo.api.tracing import Tracing
from tests.api.running import Gateway, House, model, until
from tests.api.upstream import FAULTS, STREAM_HEAD, Asked, Script, Upstream, answering, delta, good, http, saying

pytest.importorskip("opentelemetry.sdk")
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

PROMPT, ANSWER, SERVER_KEY = "prompt-8f1c", "answer-3b7d", "sk-server-5e2a"
LOGGERS = ("aldo", "aldo.serve", "aldo.serve.access", "uvicorn", "uvicorn.error", "asyncio", "aiohttp")


class Kept(logging.Handler):
    """Every record, from whatever thread and for the length of a test with its fixtures."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Place:
    """A gateway with keys, a usage log, spans and an access log, before one server that needs a key."""

    def __init__(self, house: House, tmp: Path) -> None:
        self.key = add_key(str(tmp / "keys.txt"), "alice")
        self.usage = tmp / "usage.jsonl"
        self.spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.server: Upstream = house.upstream(saying(ANSWER))
        config = {"apiKeyEnv": "ACME_KEY"}
        catalog = house.catalog(
            model("near", self.server.url, config=config),
            model("vectors", self.server.url, capabilityClass="embeddings", provides=["embeddings"], config=config),
        )
        settings = Settings(
            catalog=str(catalog),
            keys=str(tmp / "keys.txt"),
            usage=str(self.usage),
            access_log=True,
            probe_every=None,
            watch_every=None,
            retries=0,
        )
        app = create_app(settings, environ={"ACME_KEY": SERVER_KEY}, tracing=Tracing(provider))
        self.gateway: Gateway = house.serve(app)
        self.gateway.http.headers["authorization"] = f"Bearer {self.key}"
        self.posts = self.total = 0
        self.gateway.http.event_hooks = {"request": [self._count]}

    def _count(self, request: Any) -> None:
        self.posts += request.method == "POST"
        self.total += request.method == "POST"

    def settle(self) -> None:
        """Every request so far has its span: it ends after the client has its answer."""
        until(lambda: len(self.finished("SERVER")) == self.posts, "the spans of the requests")

    def forget(self) -> None:
        self.settle()
        self.posts = 0
        self.spans.clear()
        self.server.forget()

    @property
    def secrets(self) -> tuple[str, ...]:
        return PROMPT, ANSWER, SERVER_KEY, self.key, self.key.removeprefix("aldo-")

    def finished(self, kind: str) -> list[Any]:
        return [span for span in self.spans.get_finished_spans() if span.kind.name == kind]

    def holds_none(self, what: str, text: str) -> None:
        assert text, f"{what} is empty"
        for secret in self.secrets:
            assert secret not in text, what


@pytest.fixture(scope="module")
def shared_place(shared_house: House, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(shared_house, tmp_path_factory.mktemp("place"))


@pytest.fixture
def place(shared_place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Well and without a memory; whatever a test does, nothing of it may be found afterwards."""
    for name in LOGGERS:
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)
        caplog.set_level(logging.DEBUG, logger=name)
    kept, before = Kept(), shared_place.total
    monkeypatch.setattr(logging.getLogger(), "handlers", [*logging.getLogger().handlers, kept])
    shared_place.server.script = saying(ANSWER)
    shared_place.gateway.rest()
    shared_place.forget()
    yield shared_place
    shared_place.settle()

    def lines() -> int:
        return sum(one.name == "aldo.serve.access" and "POST" in one.getMessage() for one in kept.records)

    until(lambda: lines() == shared_place.total - before, "the access lines of the requests")
    gc.collect(0)  # what a task nobody waited for failed with is told then
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")
    records = [one for one in kept.records if not one.name.startswith(("httpx", "httpcore"))]
    shared_place.holds_none("the log", "\n".join(formatter.format(record) for record in records))
    shared_place.holds_none("the metrics", shared_place.gateway.http.get("/metrics").raise_for_status().text)
    shared_place.holds_none("the usage log", shared_place.usage.read_text())
    shared_place.holds_none("the spans", "\n".join(span.to_json() for span in shared_place.spans.get_finished_spans()))


def said(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": PROMPT}], **more}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_chat_that_goes_well_leaves_nothing_of_it(stream: bool, place: Place) -> None:
    answer = place.gateway.chat(**said(stream=stream))
    assert answer.status_code == 200
    if not stream:
        assert answer.json()["choices"][0]["message"]["content"] == ANSWER
    assert PROMPT.encode() in place.server.raw
    assert place.server.messages[0].headers["authorization"] == f"Bearer {SERVER_KEY}"
    assert place.key.encode() not in place.server.raw


def test_embeddings_leave_nothing_of_their_texts(place: Place) -> None:
    assert place.gateway.embed([PROMPT, f"{PROMPT} again"]).status_code == 200
    assert PROMPT.encode() in place.server.raw


def echoing(status: str) -> Script:
    """A server that quotes all it was told in its error."""

    def script(asked: Asked) -> Any:
        quoted = f"{asked.body.decode()} {asked.headers.get('authorization')} {ANSWER}"
        return http({"error": {"message": quoted, "code": "x"}}, status=status)

    return script


SILENT = sorted(set(FAULTS))
"""Faults in which the server says nothing of the request."""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", SILENT)
def test_no_fault_of_a_server_brings_it_out(fault: str, stream: bool, place: Place) -> None:
    place.server.script = FAULTS[fault]
    answer = place.gateway.chat(**said(stream=stream))
    place.holds_none("the error", answer.text)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "500 Internal Server Error"])
def test_what_a_server_quotes_of_a_key_is_told_to_no_client(status: str, stream: bool, place: Place) -> None:
    place.server.script = echoing(status)
    answer = place.gateway.chat(**said(stream=stream))
    assert answer.status_code >= 400
    assert SERVER_KEY not in answer.text and place.key not in answer.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_that_makes_no_sense_is_quoted_in_no_log(stream: bool, place: Place) -> None:
    place.server.script = answering(STREAM_HEAD, delta(content=ANSWER), b"zz\r\n" + ANSWER.encode(), "close")
    place.gateway.chat(**said(stream=stream))
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"' + ANSWER}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    place.server.script = answering(*http({"model": "served", "choices": [choice]}))
    tools = [{"type": "function", "function": {"name": "look"}}]
    assert place.gateway.chat(**said(tools=tools)).status_code == 502


REFUSED: dict[str, Callable[[Place], Any]] = {
    "no tier": lambda place: place.gateway.chat(privacy=None, **said()),
    "no model": lambda place: place.gateway.chat("nobody", **said()),
    "a tag": lambda place: place.gateway.chat(headers={"x-aldo-requires": "vision"}, **said()),
    "a value": lambda place: place.gateway.chat(**said(temperature=PROMPT)),
    "a role": lambda place: place.gateway.chat(messages=[{"role": "user", "content": 7, "name": PROMPT}]),
    "no JSON": lambda place: place.gateway.http.post(
        "/v1/chat/completions",
        content=f'{{"messages": "{PROMPT}',
        headers={"content-type": "application/json", "x-aldo-privacy": "public"},
    ),
    "another key": lambda place: place.gateway.chat(headers={"authorization": f"Bearer {place.key}x"}, **said()),
}


@pytest.mark.parametrize("why", REFUSED)
def test_no_refusal_brings_it_out(why: str, place: Place) -> None:
    answer = REFUSED[why](place)
    assert 400 <= answer.status_code < 500
    place.holds_none("the refusal", answer.text)
    assert place.server.messages == []


def test_a_defect_of_ours_is_told_without_what_it_was_about(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError(f"{PROMPT} {SERVER_KEY}")

    monkeypatch.setattr(place.gateway.inner.serving, "decide", broken)
    answer = place.gateway.chat(**said())
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    place.holds_none("the error", answer.text)
    assert any("ValueError in POST /v1/chat/completions" in one.getMessage() for one in caplog.records)


# Spans -----------------------------------------------------------------------------------------------------------


def test_spans_carry_the_names_of_the_genai_conventions(place: Place) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    assert place.gateway.chat(**said(), headers=headers).status_code == 200
    place.settle()
    (request,), (attempt,) = place.finished("SERVER"), place.finished("CLIENT")
    assert request.name == "POST /v1/chat/completions"
    assert attempt.parent.span_id == request.context.span_id
    assert f"{request.context.trace_id:032x}" == trace
    wanted = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "near",
        "gen_ai.response.model": "served",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.response.finish_reasons": ("stop",),
        "aldo.model": "near",
        "aldo.privacy": "public",
    }
    assert {name: attempt.attributes.get(name) for name in wanted} == wanted
    assert attempt.name == "chat near"
    assert attempt.start_time <= attempt.end_time
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["gen_ai.request.model"] == "fast-draft"
    assert request.attributes["gen_ai.response.model"] == "near"


def test_a_span_of_embeddings_names_the_operation(place: Place) -> None:
    assert place.gateway.embed(PROMPT).status_code == 200
    place.settle()
    (attempt,) = place.finished("CLIENT")
    assert attempt.attributes["gen_ai.operation.name"] == "embeddings"
    assert attempt.attributes["gen_ai.usage.input_tokens"] == 2


def test_a_span_of_a_failure_says_what_kind_it_was(place: Place) -> None:
    place.server.script = FAULTS["500"]
    assert place.gateway.chat(**said()).status_code == 502
    place.settle()
    (request,), (attempt,) = place.finished("SERVER"), place.finished("CLIENT")
    for span in (request, attempt):
        assert span.attributes["error.type"] == "server_error"
        assert not span.events
    assert attempt.status.status_code.name == "ERROR"
    place.server.script = good
