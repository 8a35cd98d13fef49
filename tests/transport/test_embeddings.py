"""Embeddings: a vector for every text, in the order of the texts, all of one model, or a typed error."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.errors import ProtocolError, TransportError, UsageError
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.schema.usage import UsageRow
from aldo.transport import EmbeddingRequest, EmbeddingResult, ModelClient, Retry, Usage, resolve
from tests.support.bound import ONCE, PROMPT, Wire, bind, entry
from tests.support.fake_server import FakeServer, http

Answer = Callable[[httpx.Request], httpx.Response]


def asked(request: httpx.Request) -> list[str]:
    return list(json.loads(request.content)["input"])


def said(body: Any, status: int = 200) -> httpx.Response:
    """JSON as Python writes it, with NaN and lone surrogates where a test wants them."""
    return httpx.Response(status, text=body if isinstance(body, str) else json.dumps(body))


def client(answer: Answer, rows: list[UsageRow] | None = None, **config: Any) -> tuple[ModelClient, Wire]:
    wire = Wire(answer)
    return bind(
        entry(config={"baseUrl": "http://x", **config}), http=wire, on_usage=None if rows is None else rows.append
    ), wire


def embedded(body: Any, texts: int = 2, **more: Any) -> EmbeddingResult:
    """What comes of one answer to so many texts."""
    bound, _ = client(lambda request: said(body))
    return bound.embed(EmbeddingRequest(tuple(f"text {n}" for n in range(texts)), **more))


def vector(text: str, width: int = 3) -> list[float]:
    """A vector that tells which text it is of."""
    return [float(ord(text[0])), float(len(text)), *[0.25] * (width - 2)]


def items(texts: Sequence[str], width: int = 3) -> list[dict[str, Any]]:
    return [
        {"object": "embedding", "index": place, "embedding": vector(text, width)} for place, text in enumerate(texts)
    ]


def packed(numbers: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


# The laws

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
words = st.text(min_size=1, max_size=5)


@given(st.integers(1, 6).flatmap(lambda n: st.lists(st.lists(floats, min_size=n, max_size=n), min_size=1, max_size=5)))
def test_law_base64_gives_the_very_numbers_of_the_list(vectors: list[list[float]]) -> None:
    listed = embedded({"data": [{"index": n, "embedding": v} for n, v in enumerate(vectors)]}, len(vectors))
    short = embedded({"data": [{"index": n, "embedding": packed(v)} for n, v in enumerate(vectors)]}, len(vectors))
    assert listed.vectors == short.vectors == tuple(map(tuple, vectors))
    assert all(type(number) is float for one in short.vectors for number in one)
    assert listed.dimensions == len(vectors[0])


@given(words=st.lists(words, min_size=1, max_size=7, unique=True), order=st.randoms(use_true_random=False))
def test_law_the_order_of_the_answer_does_not_matter_where_there_are_indices(words: list[str], order: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        found = items(asked(request))
        order.shuffle(found)
        return said({"data": found})

    bound, _ = client(answer)
    assert bound.embed(EmbeddingRequest(tuple(words))).vectors == tuple(tuple(vector(word)) for word in words)


@given(words=st.lists(words, min_size=1, max_size=12), size=st.integers(1, 14), tokens=st.integers(0, 9))
def test_law_batches_keep_the_order_and_their_usage_adds_up(words: list[str], size: int, tokens: int) -> None:
    rows: list[UsageRow] = []

    def answer(request: httpx.Request) -> httpx.Response:
        some = asked(request)
        assert 1 <= len(some) <= size
        return said({"data": items(some)[::-1], "model": "e", "usage": {"prompt_tokens": tokens * len(some)}})

    bound, wire = client(answer, rows)
    result = bound.embed(EmbeddingRequest(tuple(words), batch_size=size))
    assert result.vectors == tuple(tuple(vector(word)) for word in words)
    assert [text for request in wire.requests for text in asked(request)] == words
    assert len(wire.requests) == math.ceil(len(words) / size)
    assert result.usage == Usage(tokens * len(words), 0)
    assert [row.tokens_in for row in rows] == [tokens * len(asked(request)) for request in wire.requests]
    assert list(result.attempts) == rows


def test_cost_is_the_exact_sum_of_the_batches_and_unknown_where_one_is() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        some = asked(request)
        usage = {} if "silent" in some else {"usage": {"prompt_tokens": 7}}
        return said({"data": items(some), **usage})

    model = entry(config={"baseUrl": "http://x"}, cost={"usdPerMtokIn": 0.000001, "usdPerMtokOut": 5})
    with bind(model, http=Wire(answer)) as bound:
        assert bound.embed(EmbeddingRequest(("a", "b", "c"), batch_size=1)).usd == "0.000000000021"
        part = bound.embed(EmbeddingRequest(("a", "silent", "c"), batch_size=1))
    assert (part.usd, part.usage) == (None, Usage(None, 0))
    assert [row.usd for row in part.attempts] == ["0.000000000007", None, "0.000000000007"]


# What is sent


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("dimensions", [None, 2])
def test_what_is_sent_is_explicit_and_holds_no_null(encoding: Any, dimensions: int | None) -> None:
    bound, wire = client(lambda request: said({"data": items(asked(request), 2)}), model="wire-name")
    texts = ("крокодил", "\ud800", "\x00")
    bound.embed(EmbeddingRequest(texts, dimensions, encoding))
    (request,) = wire.requests
    assert request.url.path == "/v1/embeddings"
    body = json.loads(request.content)
    wanted = {"model": "wire-name", "input": list(texts), "encoding_format": encoding}
    assert body == (wanted if dimensions is None else {**wanted, "dimensions": dimensions})


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_an_answer_is_read_in_whichever_form_the_server_chose(encoding: Any) -> None:
    body = {"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": packed([3, 4])}]}
    assert embedded(body, encoding=encoding).vectors == ((1.0, 2.0), (3.0, 4.0))


@pytest.mark.parametrize(
    "wrong",
    [{"inputs": ()}, {"inputs": "one text"}, {"inputs": ("a", "")}, {"inputs": (5,)}, {"inputs": (None,)},
     {"inputs": ("a",), "batch_size": 0}, {"inputs": ("a",), "dimensions": 0}, {"inputs": ("a",), "dimensions": -1}],
)  # fmt: skip
def test_what_is_no_list_of_texts_is_bad_usage(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        EmbeddingRequest(**wrong)


# What comes back

GOOD: dict[str, Any] = {
    "without an index": [{"embedding": [1, 0]}, {"embedding": [2, 0]}],
    "with null for an index": [{"index": None, "embedding": [1, 0]}, {"index": None, "embedding": [2, 0]}],
    "in another order": [{"index": 1, "embedding": [2, 0]}, {"index": 0, "embedding": [1, 0]}],
    "whole numbers": [{"index": 0, "embedding": [1, 0]}, {"index": 1, "embedding": [2.0, 0]}],
    "with more fields": [{"index": 0, "embedding": [1, 0], "x": {}}, {"index": 1, "embedding": [2, 0]}],
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_vectors_come_in_the_order_of_the_texts(name: str) -> None:
    result = embedded({"data": GOOD[name], "object": "list"})
    assert result.vectors == ((1.0, 0.0), (2.0, 0.0))
    assert all(type(number) is float for one in result.vectors for number in one)


ONE = {"index": 0, "embedding": [1, 2]}
BAD: dict[str, Any] = {
    "one too few": [ONE],
    "one too many": [ONE, {"index": 1, "embedding": [1, 2]}, {"index": 2, "embedding": [1, 2]}],
    "none": [],
    "null": None,
    "no list": {"0": ONE},
    "of different lengths": [ONE, {"index": 1, "embedding": [1]}],
    "an empty one": [ONE, {"index": 1, "embedding": []}],
    "both empty": [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
    "empty base64": [{"index": 0, "embedding": ""}, {"index": 1, "embedding": ""}],
    "one is null": [ONE, None],
    "a vector is null": [ONE, {"index": 1, "embedding": None}],
    "a vector is missing": [ONE, {"index": 1}],
    "a vector is an object": [ONE, {"index": 1, "embedding": {"0": 1, "1": 2}}],
    "a vector is a number": [ONE, {"index": 1, "embedding": 5}],
    "a text among the numbers": [ONE, {"index": 1, "embedding": ["1", 2]}],
    "a boolean among the numbers": [ONE, {"index": 1, "embedding": [True, 2]}],
    "a null among the numbers": [ONE, {"index": 1, "embedding": [None, 2]}],
    "a list among the numbers": [ONE, {"index": 1, "embedding": [[1], 2]}],
    "no number": [ONE, {"index": 1, "embedding": [math.nan, 2]}],
    "infinity": [ONE, {"index": 1, "embedding": [math.inf, 2]}],
    "a number too large for a float": [ONE, {"index": 1, "embedding": [10**400, 2]}],
    "base64 of infinity": [ONE, {"index": 1, "embedding": packed([math.inf, 1.0])}],
    "base64 of no number": [ONE, {"index": 1, "embedding": packed([math.nan, 1.0])}],
    "base64 of half a number": [ONE, {"index": 1, "embedding": base64.b64encode(b"123456").decode()}],
    "base64 of another length": [ONE, {"index": 1, "embedding": packed([1.0])}],
    "no base64": [ONE, {"index": 1, "embedding": "not base64!"}],
    "base64 of another script": [ONE, {"index": 1, "embedding": "крокодил"}],
    "base64 with a surrogate": [ONE, {"index": 1, "embedding": "\ud800AAA"}],
    "base64 without its padding": [ONE, {"index": 1, "embedding": packed([1.0]).rstrip("=")}],
    "base64 with a line end": [ONE, {"index": 1, "embedding": packed([1.0, 2.0])[:4] + "\n" + packed([1.0, 2.0])[4:]}],
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_one_vector_a_text_of_one_length_is_a_protocol_error(name: str) -> None:
    rows: list[UsageRow] = []
    bound, wire = client(lambda request: said({"data": BAD[name], "usage": {"prompt_tokens": 3}}), rows)
    with pytest.raises(ProtocolError) as caught:
        bound.embed(EmbeddingRequest(("a", "b")))
    assert caught.value.where.model == "the-entry"
    assert [row.outcome for row in rows] == ["protocol"]
    assert len(wire.requests) == 1


def test_a_number_of_an_absurd_number_of_digits_is_a_protocol_error() -> None:
    """Python reads whole numbers of 4300 digits and no more."""
    with pytest.raises(ProtocolError):
        embedded('{"data": [{"embedding": [' + "1" * 5000 + "]}]}", 1)


@pytest.mark.parametrize(
    "indices", [(1, 1, 0), (0, 0, 1), (1, 2, 3), (2, 1, 5), (1, 0, None), (-1, 0, 1), ("1", "0", "2")]
)
def test_indices_that_give_a_text_two_vectors_or_none_are_a_protocol_error(indices: Sequence[Any]) -> None:
    """To take the order of the answer instead would give texts the vectors of others, and nobody would know."""
    with pytest.raises(ProtocolError):
        embedded({"data": [{"index": index, "embedding": [1, n]} for n, index in enumerate(indices)]}, 3)


@pytest.mark.parametrize("index", [0, "x", True])
def test_an_index_that_says_nothing_leaves_the_order_or_is_an_error(index: Any) -> None:
    """Some servers give every vector the same one."""
    body = {"data": [{"index": index, "embedding": [1, n]} for n in range(3)]}
    with contextlib.suppress(ProtocolError):
        assert embedded(body, 3).vectors == ((1.0, 0.0), (1.0, 1.0), (1.0, 2.0))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"message": "boom", "code": 500}}, "server_error"),
        ({"error": "Unexpected endpoint or method."}, ("protocol", "server_error")),
        ({"error": {"message": "input is too large to process"}}, "context_exceeded"),
        ({"data": items(["a", "b"]), "error": {"message": "boom"}}, "server_error"),
        ([], "protocol"), ("[1, 2", "protocol"), ('{"data": [', "stream_cut"), ("null", "protocol"), ("<html>", "protocol"), ("", "protocol"),
    ],
)  # fmt: skip
def test_an_answer_of_another_kind_is_named(body: Any, code: str | tuple[str, ...]) -> None:
    with pytest.raises(TransportError) as caught:
        embedded(body)
    assert caught.value.code in ((code,) if isinstance(code, str) else code)


def test_an_error_of_null_is_none() -> None:
    assert embedded({"data": items(["a", "b"]), "error": None}).dimensions == 3


@pytest.mark.parametrize("usage", [None, {}, [], "x", {"prompt_tokens": None}, {"prompt_tokens": "5"}, {"prompt_tokens": -1}, {"prompt_tokens": 1.5}, {"prompt_tokens": True}])  # fmt: skip
def test_usage_that_is_none_is_unknown_and_spoils_nothing(usage: Any) -> None:
    result = embedded({"data": items(["a", "b"]), "usage": usage, "model": 5})
    assert (result.usage, result.usd, result.returned_model) == (Usage(None, 0), None, None)
    assert result.attempts[0].outcome == "ok"


@pytest.mark.parametrize("tokens", [10**15 + 1, 10**30])
def test_a_count_that_no_row_takes_does_not_take_the_answer(tokens: int) -> None:
    body = {"data": items(["a", "b"]), "usage": {"prompt_tokens": tokens}}
    with contextlib.suppress(ProtocolError):
        assert embedded(body).dimensions == 3


anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-3, 3), st.floats(), st.just(10**400),
        st.sampled_from(["", "x", packed([1.0]), "0", "\ud800", "é"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["index", "embedding", "message", "code"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def or_anything(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(usual, usual, usual, usual, anything)


numbers = or_anything(st.lists(or_anything(st.integers(0, 2)), min_size=2, max_size=2))
vectors = or_anything(st.fixed_dictionaries({"embedding": numbers}, optional={"index": or_anything(st.integers(0, 1))}))
usages = or_anything(st.fixed_dictionaries({}, optional=dict.fromkeys(("prompt_tokens", "completion_tokens", "prompt_tokens_details"), anything)))  # fmt: skip
odd_bodies = or_anything(
    st.fixed_dictionaries(
        {"data": or_anything(st.lists(vectors, min_size=2, max_size=2))},
        optional={"usage": usages, "model": anything, "error": anything},
    )
)


@given(odd_bodies, st.sampled_from([200, 200, 200, 400, 404, 429, 500, 503]))
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
def test_law_whatever_json_comes_the_outcome_is_a_result_or_a_typed_error(body: Any, status: int) -> None:
    rows: list[UsageRow] = []
    bound, wire = client(lambda request: said(json.dumps(body), status), rows)
    try:
        result = bound.embed(EmbeddingRequest(("a", "b")))
    except TransportError as error:
        assert [row.outcome for row in rows] == [error.code]
        json.dumps(error.to_dict(), allow_nan=False)
    else:
        assert status == 200
        assert [row.outcome for row in rows] == ["ok"]
        assert len(result.vectors) == 2
        assert all(len(one) == result.dimensions > 0 for one in result.vectors)
        assert all(type(number) is float and math.isfinite(number) for one in result.vectors for number in one)
        json.dumps(result.to_dict(), allow_nan=False)
    assert len(wire.requests) == 1


# Failover in the middle


@dataclass
class Two:
    """Two models: a of three dimensions, which fails from its nth batch on, and b of five."""

    fails_at: int
    times: int = 0
    says: list[tuple[str, int]] = field(default_factory=list)
    rows: list[UsageRow] = field(default_factory=list)

    def embed(self, texts: Sequence[str], size: int) -> EmbeddingResult:
        def answer(request: httpx.Request) -> httpx.Response:
            host, batch = request.url.host, asked(request)
            self.says.append((host, len(batch)))
            if host == "a" and sum(one == "a" for one, _ in self.says) > self.fails_at:
                return said({"error": "no"}, 500)
            return said(
                {"data": items(batch, 3 if host == "a" else 5), "model": f"m-{host}", "usage": {"prompt_tokens": 1}}
            )

        models = [entry(config={"baseUrl": f"http://{name}"}, id=name) for name in "ab"]
        catalog = Catalog.model_validate({"models": models})
        request = {"capabilityClass": "local-reasoning", "privacy": "sensitive"}
        decision = route(catalog, RouteRequest.model_validate(request))
        retry = Retry(times=self.times, first_pause=0)
        with resolve(
            catalog, decision, failover=True, retry=retry, on_usage=self.rows.append, environ={}, http=Wire(answer)
        ) as both:
            return both.embed(EmbeddingRequest(tuple(texts), batch_size=size))


@given(count=st.integers(1, 9), size=st.integers(1, 4), fails_at=st.integers(0, 4), times=st.integers(0, 1))
@settings(max_examples=60)
def test_law_vectors_of_two_models_never_mix(count: int, size: int, fails_at: int, times: int) -> None:
    texts = [chr(97 + n) for n in range(count)]
    batches = math.ceil(count / size)
    two = Two(fails_at, times)
    result = two.embed(texts, size)
    model, width = ("a", 3) if fails_at >= batches else ("b", 5)
    assert (result.model, result.returned_model, result.upstream_model) == (model, f"m-{model}", model)
    assert result.vectors == tuple(tuple(vector(text, width)) for text in texts)
    assert result.usage == Usage(batches, 0)
    failed = [] if model == "a" else [("a", "ok")] * fails_at + [("a", "server_error")] * (times + 1)
    assert [(row.model, row.outcome) for row in two.rows] == [*failed, *[(model, "ok")] * batches]
    assert list(result.attempts) == two.rows


def test_a_batch_that_failed_once_goes_on_where_it_was() -> None:
    seen: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(asked(request))
        return said({"error": "no"}, 503) if len(seen) == 2 else said({"data": items(asked(request))})

    with bind(entry(config={"baseUrl": "http://x"}), http=Wire(answer), retry=Retry(times=1, first_pause=0)) as bound:
        result = bound.embed(EmbeddingRequest(("a", "b", "c"), batch_size=1))
    assert seen == [["a"], ["b"], ["b"], ["c"]]
    assert [row.outcome for row in result.attempts] == ["ok", "server_error", "ok", "ok"]


def test_each_batch_has_all_its_tries_again() -> None:
    count = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return said({"error": "no"}, 503) if count % 3 else said({"data": items(asked(request))})

    with bind(entry(config={"baseUrl": "http://x"}), http=Wire(answer), retry=Retry(times=2, first_pause=0)) as bound:
        assert len(bound.embed(EmbeddingRequest(("a", "b", "c"), batch_size=1)).vectors) == 3
    assert count == 9


def widths(request: httpx.Request) -> httpx.Response:
    """Another length for every batch."""
    return said({"data": items(asked(request), 2 + ord(asked(request)[0]) % 2)})


def test_batches_of_different_lengths_are_a_protocol_error() -> None:
    bound, _ = client(widths)
    with pytest.raises(ProtocolError, match="different lengths"):
        bound.embed(EmbeddingRequest(("a", "b"), batch_size=1))


def test_that_error_says_where_and_after_what_and_the_batch_that_did_not_fit_is_no_success() -> None:
    rows: list[UsageRow] = []
    bound, _ = client(widths, rows)
    with pytest.raises(ProtocolError) as caught:
        bound.embed(EmbeddingRequest(("a", "b", "c"), batch_size=1))
    assert caught.value.where.model == "the-entry"
    assert caught.value.attempts == (("the-entry", "ok"), ("the-entry", "protocol"))
    assert [row.outcome for row in rows] == ["ok", "protocol"]


# Errors tell nothing


@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_error_holds_no_text_that_was_sent(status: int) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return said(
            {"error": {"message": f"cannot embed {asked(request)[1]} with {request.headers['authorization']}"}}, status
        )

    rows: list[UsageRow] = []
    model = entry(config={"baseUrl": "http://x", "apiKeyEnv": "THE_KEY"})
    environ = {"THE_KEY": "sk-0123456789abcdef"}
    with (
        bind(model, http=Wire(echo), environ=environ, on_usage=rows.append) as bound,
        pytest.raises(TransportError) as caught,
    ):
        bound.embed(EmbeddingRequest(("first", PROMPT)))
    told = f"{caught.value} {caught.value.to_dict()} {rows}"
    for secret in ("Zebra-7", "launch code", "крокодил", "0123456789"):
        assert secret not in told


def test_over_a_socket_as_well() -> None:
    script = http(json.dumps({"data": items(["a", "b"])[::-1], "model": "served", "usage": {"prompt_tokens": 2}}))
    with FakeServer([script]) as server, bind(entry(config={"baseUrl": f"{server.url}/v1"}), retry=ONCE) as bound:
        result = bound.embed(EmbeddingRequest(("a", "b")))
    assert result.vectors == (tuple(vector("a")), tuple(vector("b")))
    assert (result.model, result.provider, result.upstream_model) == ("the-entry", "acme", "the-entry")
    assert (result.returned_model, result.usage, result.usd) == ("served", Usage(2, 0), "0")
    assert server.seen[0].target == "/v1/embeddings"
    data = result.to_dict()
    assert list(data) == ["vectors", "dimensions", "usage", "model", "provider", "upstreamModel", "returnedModel", "usd", "latencyMs", "attempts"]  # fmt: skip
    assert data["attempts"] == [{"model": "the-entry", "outcome": "ok"}]
