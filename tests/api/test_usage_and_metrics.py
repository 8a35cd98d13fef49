"""What is kept of every request: a row for each attempt, and counters whose number is bounded."""

from __future__ import annotations

import json
import logging
import stat
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aldo.schema.usage import UsageRow
from tests.api.running import CHAT, Gateway, House, model, posting, until
from tests.api.upstream import (
    DONE,
    FAULTS,
    HANG,
    STREAM_END,
    STREAM_HEAD,
    Upstream,
    answering,
    completion,
    delta,
    event,
    good,
    http,
    saying,
)

FIELDS = {
    "at",
    "provider",
    "model",
    "upstreamModel",
    "returnedModel",
    "capabilityClass",
    "privacy",
    "tokensIn",
    "tokensOut",
    "cacheReadTokens",
    "usd",
    "latencyMs",
    "ttftMs",
    "finishReason",
    "outcome",
    "routingDigest",
}


class Books:
    """A gateway whose rows are read as they come."""

    def __init__(self, house: House, path: Path, *models: Any, **settings: Any) -> None:
        self.path = path
        self.gateway: Gateway = house.gateway(*models, usage=str(path), **settings)

    def rows(self, wanted: int) -> list[dict[str, Any]]:
        """All rows, once there are so many. Each is a line of its own, and of the published shape."""
        text = until(lambda: text if (text := self.path.read_text("utf-8")).count("\n") >= wanted else "", "a row")
        found = [json.loads(line) for line in text.splitlines()]
        assert len(found) == wanted, found
        for row in found:
            assert set(row) == FIELDS
            UsageRow.model_validate(row)
        return found


PRICED = {"usdPerMtokIn": 2, "usdPerMtokOut": 5, "usdPerMtokCacheRead": 1}


@pytest.fixture
def server(house: House) -> Upstream:
    return house.upstream()


@pytest.fixture
def books(house: House, server: Upstream, tmp_path: Path) -> Books:
    entries = [
        model("near", server.url, cost=PRICED, config={"model": "acme/big-1"}),
        model("vec", server.url, capabilityClass="embeddings", provides=["embeddings"], cost=PRICED),
    ]
    return Books(house, tmp_path / "usage.jsonl", *entries)


def test_every_way_of_asking_has_a_row(books: Books) -> None:
    gateway = books.gateway
    gateway.chat("fast-draft", "sensitive")
    gateway.chat("fast-draft", "internal", stream=True)
    gateway.embed(["a", "b"], "public")
    whole, streamed, embedded = books.rows(3)
    digest = gateway.http.get("/health").json()["routingDigest"]
    for row, tier in ((whole, "sensitive"), (streamed, "internal"), (embedded, "public")):
        assert (row["outcome"], row["privacy"], row["provider"], row["routingDigest"]) == ("ok", tier, "acme", digest)
        assert row["latencyMs"] >= 0
    for row in (whole, streamed):
        assert (row["model"], row["upstreamModel"], row["returnedModel"]) == ("near", "acme/big-1", "served")
        assert (row["capabilityClass"], row["finishReason"]) == ("fast-draft", "stop")
        assert (row["tokensIn"], row["tokensOut"]) == (3, 2)
        assert Decimal(row["usd"]) == Decimal("0.000016")
    assert (whole["ttftMs"], embedded["ttftMs"]) == (None, None)
    assert streamed["ttftMs"] is not None
    assert (embedded["model"], embedded["capabilityClass"], embedded["tokensIn"]) == ("vec", "embeddings", 4)
    assert Decimal(embedded["usd"]) == Decimal("0.000008")


def test_tokens_from_a_cache_have_their_own_price(books: Books, server: Upstream) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 4}}
    server.script = answering(*http(completion() | {"usage": usage}))
    said = books.gateway.chat().json()["usage"]
    assert said["prompt_tokens_details"] == {"cached_tokens": 4}
    (row,) = books.rows(1)
    assert row["cacheReadTokens"] == 4
    assert Decimal(row["usd"]) == Decimal("0.000021")


def test_what_a_server_did_not_count_is_null_and_not_zero(books: Books, server: Upstream) -> None:
    body = completion()
    del body["usage"]
    server.script = answering(*http(body))
    books.gateway.chat()
    (row,) = books.rows(1)
    assert (row["tokensIn"], row["tokensOut"], row["usd"]) == (None, None, None)


OUTCOMES = {
    "500": "server_error",
    "429": "rate_limited",
    "401": "unauthorized",
    "404": "model_not_found",
    "503": "server_loading",
    "400": "bad_request",
    "context": "context_exceeded",
    "html": "protocol",
    "close": "connection",
    "cut": "stream_cut",
}


@pytest.mark.parametrize("fault", OUTCOMES)
def test_a_failed_attempt_has_a_row_too(fault: str, books: Books, server: Upstream) -> None:
    server.script = FAULTS[fault]
    books.gateway.chat(stream=True)
    (row,) = books.rows(1)
    assert (row["outcome"], row["model"], row["finishReason"]) == (OUTCOMES[fault], "near", None)
    assert books.gateway.metric("aldo_attempts_total", outcome=OUTCOMES[fault]) == 1


def test_an_answer_that_does_not_fit_its_schema_is_an_attempt_that_was_paid_for(books: Books, server: Upstream) -> None:
    server.script = saying("five")
    books.gateway.chat(response_format={"type": "json_object"})
    (row,) = books.rows(1)
    assert (row["outcome"], row["tokensOut"]) == ("schema_mismatch", 2)


def test_asking_again_is_a_row_for_each_time(house: House, server: Upstream, tmp_path: Path) -> None:
    books = Books(house, tmp_path / "usage.jsonl", model("near", server.url), retries=2)
    server.script = FAULTS["close"]
    answer = books.gateway.chat()
    assert [row["outcome"] for row in books.rows(3)] == ["connection"] * 3
    assert len(answer.json()["error"]["attempts"]) == 3


def test_what_is_refused_before_a_server_is_asked_has_no_row(books: Books, server: Upstream) -> None:
    gateway = books.gateway
    gateway.chat(privacy=None)
    gateway.chat(n=2)
    gateway.chat(headers={"x-aldo-requires": "vision"})
    gateway.route(capabilityClass="fast-draft", privacy="public")
    gateway.http.get("/v1/models")
    assert gateway.chat().status_code == 200
    books.rows(1)


def test_tokens_of_a_stream_that_was_cut_are_told_as_far_as_they_are_known(books: Books, server: Upstream) -> None:
    usage = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
    server.script = answering(STREAM_HEAD, delta(content="Hel"), usage, DONE, STREAM_END)
    assert "stream_cut" in books.gateway.chat(stream=True).text
    (row,) = books.rows(1)
    assert row["outcome"] == "stream_cut"
    assert row["tokensOut"] in (2, None)


def test_rows_of_many_requests_at_once_never_mix(books: Books) -> None:
    gateway = books.gateway
    threads = [threading.Thread(target=lambda: [gateway.chat(stream=bool(n % 2)) for n in range(10)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {row["outcome"] for row in books.rows(80)} == {"ok"}
    assert gateway.metric("aldo_attempts_total", outcome="ok") == 80
    assert gateway.metric("aldo_requests_total", path="/v1/chat/completions", status="200") == 80
    assert gateway.metric("aldo_requests_in_flight") == 0


def test_the_log_is_its_owners_alone_and_what_stands_there_stays(house: House, tmp_path: Path) -> None:
    fresh, old = tmp_path / "fresh.jsonl", tmp_path / "old.jsonl"
    old.write_text('{"at": "earlier"}\n', "utf-8")
    server = house.upstream()
    for path in (fresh, old):
        assert house.gateway(model("near", server.url), usage=str(path)).chat().status_code == 200
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o600
    until(lambda: old.read_text().count("\n") == 2, "the row")
    assert old.read_text().startswith('{"at": "earlier"}\n{"at": "')


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk here")
def test_a_full_disk_takes_no_answer_away(house: House, server: Upstream, caplog: pytest.LogCaptureFixture) -> None:
    gateway = house.gateway(model("near", server.url), usage="/dev/full")
    with caplog.at_level(logging.ERROR, logger="aldo.usage"):
        assert gateway.chat().status_code == 200
        assert "[DONE]" in gateway.chat(stream=True).text
    assert len(server.asked) == 2


# Counters ---------------------------------------------------------------------------------------------------------


def series(gateway: Gateway) -> set[str]:
    text = gateway.http.get("/metrics").text
    return {line.rsplit(" ", 1)[0] for line in text.splitlines() if line and not line.startswith("#")}


def test_metrics_are_prometheus_text(books: Books) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    books.gateway.chat()
    answer = books.gateway.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    names = {family.name for family in parser.text_string_to_metric_families(answer.text)}
    assert names >= {"aldo_requests", "aldo_routed", "aldo_attempts", "aldo_reloads", "gen_ai_client_token_usage"}


def test_requests_are_counted_by_path_status_and_code(books: Books, server: Upstream) -> None:
    gateway = books.gateway
    gateway.chat()
    gateway.chat(privacy=None)
    server.script = FAULTS["500"]
    gateway.chat()
    counted = [
        gateway.metric("aldo_requests_total", path="/v1/chat/completions", status=status, code=code)
        for status, code in (("200", ""), ("400", "privacy_missing"), ("502", "server_error"))
    ]
    assert counted == [1, 1, 1]
    assert gateway.metric("aldo_routed_total", model="near", privacy="public") == 2
    assert gateway.metric("gen_ai_client_token_usage_sum", gen_ai_request_model="near") == 5
    assert gateway.metric("aldo_usd_total", gen_ai_request_model="near") == pytest.approx(0.000016)


def test_a_stream_that_broke_is_counted_by_its_error(books: Books, server: Upstream) -> None:
    server.script = FAULTS["cut"]
    books.gateway.chat(stream=True)
    assert until(lambda: books.gateway.metric("aldo_requests_total", code="stream_cut")) == 1


def test_a_client_that_hung_up_is_counted_as_gone(books: Books, server: Upstream) -> None:
    server.script = answering(HANG)
    gateway = books.gateway
    with gateway.connect() as connection:
        connection.sendall(posting("/v1/chat/completions", CHAT))
        until(lambda: server.asked, "the request to the server")
        assert gateway.metric("aldo_requests_in_flight") == 1
    (row,) = books.rows(1)
    assert row["outcome"] == "cancelled"
    assert until(lambda: gateway.metric("aldo_requests_total", code="client_gone")) == 1
    assert gateway.metric("aldo_requests_in_flight") == 0


def test_no_client_can_make_series_without_end(books: Books, server: Upstream) -> None:
    gateway = books.gateway

    def nonsense(run: int) -> None:
        for number in range(run * 10, run * 10 + 10):
            name = f"nobody-{number}"
            gateway.http.get(f"/{name}")
            gateway.http.get(f"/v1/models/{name}")
            gateway.http.request(f"M{name}".upper().replace("-", ""), "/health")
            gateway.chat(name)
            gateway.chat(**{name: 1})
            gateway.chat(headers={f"x-aldo-{name}": "1"})
            gateway.chat(headers={"x-aldo-requires": name})
            gateway.route(capabilityClass=name, privacy="public")
            server.script = answering(*http(completion() | {"model": name}))
            gateway.chat()
            server.script = answering(*http({"error": {"message": name, "code": name}}, status="500 Broken"))
            gateway.chat()
            server.script = good
            gateway.chat()

    nonsense(0)
    series(gateway)  # to look at them is a request, too
    before = series(gateway)
    nonsense(1)
    assert series(gateway) == before
    assert not any("nobody" in one for one in before)
