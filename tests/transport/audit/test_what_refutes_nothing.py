"""What says nothing about a claim: servers that are away, cut, busy, silent or others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from aldo.schema.vocabulary import CAPABILITIES
from aldo.transport import Timeouts
from aldo.transport.audit import audit
from tests.support.fake_runtimes import (
    FakeOllama,
    Fault,
    OllamaModel,
)
from tests.support.fake_server import FakeServer, Reply
from tests.support.fake_server import http as raw_http
from tests.transport.audit.able_server import able, answer, healthy_then
from tests.transport.audit.auditing import PATIENT, audited, catalog_of, model, verdicts
from tests.transport.conftest import Connections


def test_a_server_that_is_not_there_is_told() -> None:
    with FakeServer([b""]) as server:
        url = server.url
    found = audited(model(url, "streaming"))
    assert found.unreachable == "nothing listens there"
    assert found.url == f"{url}/v1"
    assert (found.claims, found.correction(), found.holds) == ((), None, True)


@pytest.mark.parametrize(
    "more",
    [
        {"providerKind": "openai-compt"},
        {"config": {"extra": {"maxTokensField": "nonsense"}}},
        {"config": {"baseUrl": "localhost:8000"}},
        {"config": {"headers": {"x": "é"}}},
    ],
    ids=["kind", "knob", "url", "header"],
)
def test_an_entry_that_cannot_be_asked_is_told(more: dict[str, Any], connections: Connections) -> None:
    found = audited(model("http://127.0.0.1:1", **more) | {k: v for k, v in more.items() if k != "config"})
    assert found.unreachable
    assert connections.addresses == []


def test_an_entry_elsewhere_is_refused_by_the_guard(connections: Connections) -> None:
    found = audited(model("http://127.0.0.1:1"), environ={"VLLM_BASE_URL": "http://192.0.2.1:8000"})
    assert found.unreachable
    assert "192.0.2.1" in found.unreachable
    assert connections.addresses == []


def test_a_model_that_the_server_does_not_have_is_told() -> None:
    with FakeOllama([OllamaModel("other")]) as ollama:
        found = audited(model(ollama.base_url, provider="ollama"))
    assert found.unreachable
    assert "'m' not found" in found.unreachable


def test_what_answers_is_another_server() -> None:
    with FakeServer([raw_http("<html>", content_type="text/html")]) as server:
        found = audited(model(server.url))
    assert found.unreachable
    assert "not vllm" in found.unreachable


ASKABLE = [
    tag for tag in CAPABILITIES if not tag.endswith("-context") and tag not in ("long-output", "coding-frontier")
]
BY_HAND = ("audio-out", "code-fim", "rerank")
"""What is asked beside chats and embeddings."""
GONE = b""
LATER = {"retry_after": "0"}


def unharmed(tags: Iterable[str], bad: Reply | bytes, **more: Any) -> None:
    for tag in tags:
        with FakeServer([healthy_then(able(*ASKABLE), bad)]) as server:
            found = audited(model(server.url, tag), **more)
        assert verdicts(found)[tag] == "unclear", (tag, found.claims)
        assert found.correction() is None


def test_a_server_that_ends_in_the_middle_refutes_nothing() -> None:
    unharmed(ASKABLE, Reply(GONE))
    unharmed(ASKABLE[:3], Reply(GONE, after="reset"))


def test_a_server_that_is_stopped_in_the_middle_refutes_nothing() -> None:
    with FakeServer([able("streaming", "tool-use")]) as server:
        catalog = catalog_of(model(server.url, "streaming", "tool-use"))

        def stop(text: str) -> None:
            if "tool-use" in text:
                server.__exit__(None, None, None)

        (found,) = audit(catalog, [catalog.by_id["it"]], environ={}, timeouts=PATIENT, progress=stop).checked
    assert verdicts(found) == {"context": "unclear", "streaming": "confirmed", "tool-use": "unclear"}


def test_an_answer_that_is_cut_refutes_nothing() -> None:
    cut = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"choices": [{"mess'
    unharmed(ASKABLE, cut)


def test_a_stream_that_is_cut_refutes_nothing() -> None:
    with FakeOllama([OllamaModel("m")]) as ollama:
        ollama.inject(Fault(path="/nowhere"))
        catalog = catalog_of(model(ollama.base_url, "streaming", provider="ollama"))

        def cut(text: str) -> None:
            if text.endswith(": streaming"):
                ollama.inject(Fault(cut=2), Fault(cut=2))

        (found,) = audit(catalog, [catalog.by_id["it"]], environ={}, timeouts=PATIENT, progress=cut).checked
    assert verdicts(found)["streaming"] == "unclear"


def test_a_server_that_asks_for_patience_refutes_nothing() -> None:
    busy = answer({"error": {"message": "slow down"}}, "429 Too Many Requests", **LATER)
    unharmed([tag for tag in ASKABLE if tag not in BY_HAND], busy)


@pytest.mark.parametrize("tag", BY_HAND)
@pytest.mark.parametrize("status", ["401 Unauthorized", "429 Too Many Requests", "504 Gateway Timeout"])
def test_a_server_that_asks_for_patience_refutes_nothing_else(tag: str, status: str) -> None:
    unharmed([tag], answer({"error": {"message": "not now"}}, status, **LATER))


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "504 Gateway Timeout"])
def test_a_door_that_closes_refutes_nothing(status: str) -> None:
    unharmed(("streaming", "tool-use", "vision", "embeddings"), answer({"error": "no"}, status, **LATER))


def test_a_server_that_loads_again_refutes_nothing() -> None:
    unharmed(("streaming", "json-mode"), answer({"error": {"message": "Loading model"}}, "503 Unavailable", **LATER))


def test_a_server_that_is_busy_refutes_nothing() -> None:
    words = "server busy, please try again.  maximum pending requests exceeded"
    unharmed(("streaming", "tool-use", "json-mode"), answer({"error": {"message": words}}, "503 Unavailable", **LATER))


def test_a_server_that_falls_silent_refutes_nothing() -> None:
    short = Timeouts(connect=5, read=0.2, no_content=0.2)
    for tag in ("streaming", "tool-use", "json-mode", "rerank"):
        unharmed([tag], Reply(b"", after="hang"), timeouts=short)


@pytest.mark.parametrize("tag", ["streaming", "tool-use", "embeddings", "json-mode", "structured-output", "rerank"])
def test_a_server_that_drips_is_given_up(tag: str) -> None:
    short = Timeouts(connect=5, read=0.4, no_content=0.4)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
    bad = Reply(head, after="drip", drip=b" ")
    with FakeServer([healthy_then(able(tag), bad)]) as server:
        found = audited(model(server.url, tag), timeouts=short)
    assert verdicts(found)[tag] == "unclear"
    assert not server.ran_dry
