"""Claims about the context: what a server says of it, and, with `deep`, how much it reads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fake_runtimes import (
    FakeLmStudio,
    FakeOllama,
    LmStudioModel,
    OllamaModel,
)
from tests.support.fake_server import FakeServer
from tests.transport.audit.able_server import able
from tests.transport.audit.auditing import CONTEXT_TAGS, SILENT, against, audited, evidence, model, verdicts

CONTEXTS = [  # claimed, stated, verdict
    (4096, 4096, "confirmed"),
    (4096, 8192, "confirmed"),
    (4096, 4095, "refuted"),
    (4096, 1, "refuted"),
    (4096, None, "unclear"),
    (4096, "8192", "unclear"),
    (4096, -1, "unclear"),
]


@pytest.mark.parametrize(("claimed", "stated", "verdict"), CONTEXTS)
def test_the_context_is_what_the_server_says(claimed: int, stated: Any, verdict: str) -> None:
    found = against(able("streaming", stated=stated), "streaming", effectiveContextTokens=claimed)
    assert verdicts(found)["context"] == verdict
    assert found.served_context == (stated if verdict == "refuted" else None)
    assert (found.correction() is not None) is (verdict == "refuted")
    assert str(claimed) in evidence(found, "context")


@pytest.mark.parametrize("stated", [None, 4096, 31_999, 32_000, 128_000, 199_999, 1_000_000])
def test_context_tags_are_measured_by_what_is_served(stated: int | None) -> None:
    found = against(able("streaming", stated=stated), "streaming", *CONTEXT_TAGS, effectiveContextTokens=2048)
    for tag, least in CONTEXT_TAGS.items():
        wanted = "unclear" if stated is None else "confirmed" if stated >= least else "refuted"
        assert verdicts(found)[tag] == wanted


def test_what_routing_counts_with_is_what_is_claimed() -> None:
    """The lesser of effective and served context."""
    more = {"effectiveContextTokens": 32768, "servedContextTokens": 4096}
    assert against(able("streaming", stated=4096), **more).holds
    assert against(able("streaming", stated=2048), **more).served_context == 2048


def test_ollama_serves_what_it_was_loaded_with() -> None:
    with FakeOllama([OllamaModel("m", context=131072, served=4096)]) as ollama:
        found = audited(model(ollama.base_url, "streaming", "32k-context", provider="ollama"))
    assert found.served_context == 4096
    assert found.refuted == ("32k-context",)


@pytest.mark.parametrize(
    ("claimed", "verdict"), [(8000, "refuted"), (1200, "refuted"), (1000, "confirmed"), (512, "confirmed")]
)
def test_deep_tells_a_server_that_drops_in_silence(claimed: int, verdict: str) -> None:
    with FakeOllama([OllamaModel("m", served=1000)], quirks=SILENT) as ollama:
        it = model(ollama.base_url, "streaming", provider="ollama", effectiveContextTokens=claimed)
        assert verdicts(audited(it))["context"] == "unclear"
        found = audited(it, deep=True)
    assert verdicts(found)["context"] == verdict, found.claims
    assert found.served_context == (1000 if verdict == "refuted" else None)


@pytest.mark.parametrize(("claimed", "verdict"), [(8000, "refuted"), (1100, "refuted"), (1000, "confirmed")])
def test_deep_tells_a_server_that_refuses(claimed: int, verdict: str) -> None:
    found = against(able("streaming", served=1000), deep=True, effectiveContextTokens=claimed)
    assert verdicts(found)["context"] == verdict, found.claims


@pytest.mark.parametrize(("claimed", "served"), [(8000, 1000), (8000, 7900), (1100, 1000)])
def test_deep_corrects_to_no_more_than_is_served_and_no_less_than_half(claimed: int, served: int) -> None:
    found = against(able("streaming", served=served), deep=True, effectiveContextTokens=claimed)
    assert found.served_context is not None
    assert served * 0.45 <= found.served_context <= served


def test_deep_refutes_no_tag_for_what_it_did_not_try() -> None:
    found = against(
        able("streaming", served=40_000), "streaming", "32k-context", deep=True, effectiveContextTokens=100_000
    )
    assert verdicts(found)["32k-context"] != "refuted"


def test_deep_tells_a_server_that_reads_all() -> None:
    found = against(able("streaming"), "streaming", "32k-context", deep=True, effectiveContextTokens=40_000)
    assert (verdicts(found)["context"], verdicts(found)["32k-context"]) == ("confirmed", "confirmed")


def test_deep_fills_the_context_of_embeddings_with_embeddings() -> None:
    with FakeServer([able("embeddings")]) as server:
        it = model(server.url, "embeddings", capabilityClass="embeddings", effectiveContextTokens=2048)
        found = audited(it, deep=True)
        assert {seen.target for seen in server.seen} == {"/v1/models", "/v1/embeddings"}
    assert verdicts(found) == {"context": "confirmed", "embeddings": "confirmed"}


def test_deep_asks_nothing_of_a_server_that_says_it() -> None:
    with FakeServer([able("streaming", stated=4096)]) as server:
        audited(model(server.url, effectiveContextTokens=4096), deep=True)
        assert max(len(seen.body) for seen in server.seen) < 2_000


def test_deep_cannot_tell_where_tokens_are_not_counted() -> None:
    with FakeLmStudio([LmStudioModel("text-embedding-m", "embeddings", max_context=2048)]) as studio:
        it = model(
            studio.base_url, "embeddings", provider="acme", wire="text-embedding-m", capabilityClass="embeddings"
        )
        found = audited(it, deep=True)
    assert verdicts(found)["context"] == "unclear"
