"""Every entry has an answer, whatever servers say and whenever a connection breaks; nothing is raised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aldo.catalog import load_catalog
from aldo.schema import Catalog
from tests.support.bound import entry
from tests.support.cases import MODELS
from tests.support.fake_runtimes import FakeLmStudio, FakeOllama, OllamaModel
from tests.transport.availability.asking import PROVIDERS, asked, local, over


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_catalog(MODELS)


def test_a_kind_that_nothing_brings_is_told() -> None:
    found = asked(
        entry("openai-compt", {"baseUrl": "http://127.0.0.1:1"}, id="typo"),
        entry("grpc", {"baseUrl": "http://127.0.0.1:1"}, id="other", provider="ollama"),
        local("header", "ollama", "http://127.0.0.1:1", config={"headers": {"x": "é"}}),
        local("no-address", "acme"),
        local("no-url", "acme", "localhost:8000"),
    )
    assert not any(value.available for value in found.values())
    assert "openai-compat" in found["typo"].detail
    assert all(key in value.detail for key, value in found.items())


def test_one_server_of_hundreds_of_entries_is_asked_once() -> None:
    with FakeOllama([OllamaModel("m")]) as ollama:
        entries = [local(f"e{number}", "ollama", ollama.base_url, "m" if number % 2 else "n") for number in range(200)]
        found = asked(*entries)
        seen = [(request.method, request.path) for request in ollama.seen]
    assert sum(value.available for value in found.values()) == 100
    assert sorted(seen) == [("GET", "/api/ps"), ("GET", "/api/tags"), ("POST", "/api/show")]


def test_asking_asks_for_no_word() -> None:
    with FakeOllama() as ollama, FakeLmStudio() as studio:
        asked(local("a", "ollama", ollama.base_url, "qwen3:4b"), local("b", "lmstudio", studio.base_url, "qwen3-4b"))
        paths = {request.path for request in (*ollama.seen, *studio.seen)}
    assert paths <= {"/api/tags", "/api/ps", "/api/show", "/api/v0/models", "/v1/models"}


def test_without_any_server_every_entry_of_the_shipped_catalog_has_an_answer(shipped: Catalog) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    found = over(down, shipped)
    assert list(found) == [model.id for model in shipped.models]
    assert not any(value.available for value in found.values())
    assert all(value.detail for value in found.values())


EVERY_PROVIDER = Catalog.model_validate(
    {"models": [local(name, name, "http://localhost:1", "qwen3:8b") for name in PROVIDERS]}
)
KEYS = [
    "models", "data", "name", "model", "id", "error", "status", "state", "type", "object", "owned_by", "meta",
    "max_model_len", "n_ctx", "context_length", "capabilities", "model_info", "general.architecture", "parameters",
    "default_generation_settings", "chat_template_caps", "modalities", "version", "loaded_context_length",
]  # fmt: skip
WORDS = ["ok", "vllm", "llamacpp", "loaded", "embeddings", "qwen3:8b", "gpt-oss-20b", "Loading model", "num_ctx 1", ""]


def shaped(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """JSON made of the words that servers use, in any order."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(WORDS),
        text,
        st.integers(),
        st.sampled_from([0, -1, 1, 4096, 10**13, 10**40]),
        st.floats(),
    )
    keys = st.one_of(st.sampled_from(KEYS), text)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
        max_leaves=12,
    )


PATHS = ("/api/tags", "/api/ps", "/api/show", "/api/v0/models", "/v1/models", "/health", "/props", "/version")


def answers(text: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, tuple[int, bytes]]]:
    """For every path a status and a body: JSON in known shapes, any JSON, or any bytes."""
    items = st.lists(
        st.one_of(st.dictionaries(st.sampled_from(KEYS), shaped(text), max_size=5), shaped(text)), max_size=4
    )
    body = st.one_of(
        shaped(text),
        st.fixed_dictionaries({"models": items}),
        st.fixed_dictionaries({"data": items}),
        st.fixed_dictionaries({"status": st.just("ok")}),
        st.fixed_dictionaries({"default_generation_settings": shaped(text), "chat_template_caps": shaped(text)}),
    ).map(lambda value: json.dumps(value).encode())
    status = st.sampled_from([200, 200, 200, 200, 204, 302, 400, 401, 403, 404, 429, 500, 503])
    return st.fixed_dictionaries(
        {path: st.tuples(status, st.one_of(body, body, body, st.binary(max_size=40))) for path in PATHS}
    )


def check_every_entry_has_an_answer(catalog: Catalog, told: Mapping[str, tuple[int, bytes]]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        status, body = told.get(request.url.path, (404, b"Not Found"))
        return httpx.Response(status, content=body)

    found = over(answer, catalog)
    assert list(found) == [model.id for model in catalog.models]
    for value in found.values():
        assert isinstance(value.available, bool)
        assert value.detail
        json.dumps(value.to_dict())


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(told=answers(st.text(st.characters(exclude_categories=["Cs"]), max_size=8)))
def test_whatever_servers_say_every_entry_has_an_answer(told: dict[str, tuple[int, bytes]]) -> None:
    check_every_entry_has_an_answer(EVERY_PROVIDER, told)


NO_UNICODE = {"/api/tags": (200, b'{"models": [{"name": "\\ud800"}]}')}


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(told=answers(st.text(st.characters(categories=["Cs"]), min_size=1, max_size=4)))
@example(told=NO_UNICODE)
def test_and_so_it_has_where_their_names_are_no_unicode(told: dict[str, tuple[int, bytes]]) -> None:
    check_every_entry_has_an_answer(EVERY_PROVIDER, told)


@settings(max_examples=20)
@given(
    st.lists(
        st.sampled_from([httpx.ReadError, httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, OSError]),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 3),
)
def test_whenever_a_connection_breaks_every_entry_has_an_answer(kinds: list[type[Exception]], after: int) -> None:
    good = {"/api/tags": {"models": [{"name": "m"}]}, "/api/ps": {"models": []}, "/health": {"status": "ok"}}
    count = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        if count > after:
            kind = kinds[count % len(kinds)]
            raise httpx.ReadError("cut", request=request) if kind is OSError else kind("cut", request=request)
        return httpx.Response(200, json=good.get(request.url.path, {}))

    found = over(answer, EVERY_PROVIDER)
    assert list(found) == [model.id for model in EVERY_PROVIDER.models]
