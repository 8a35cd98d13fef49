"""Availability: which entries can be used now, decided by what a server says and not by its status. Never raises."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aldo.catalog import load_catalog
from aldo.schema import Catalog
from aldo.transport.pool import AsyncPool
from aldo.transport.probes import Availability, availability, availability_async
from tests.support.bound import entry
from tests.support.cases import MODELS
from tests.support.fake_runtimes import FakeLmStudio, FakeOllama, Fault, LmStudioModel, LmStudioQuirks, OllamaModel
from tests.support.fake_server import FakeServer, Reply, Seen
from tests.support.fake_server import http as raw_http
from tests.support.llamacpp_server import LlamaCppServer, smollm2
from tests.support.mlx_server import MlxServer
from tests.transport.conftest import Connections, Names

PATIENT = 30.0
"""For servers that answer: a machine under load must not decide a test."""
HASTY = 0.3
"""For servers that never do."""
ELSEWHERE = "192.0.2.1"
PROVIDERS = ("ollama", "lmstudio", "vllm", "llamacpp", "mlx", "acme")
VARIABLES = {
    "ollama": "OLLAMA_BASE_URL",
    "lmstudio": "LM_STUDIO_BASE_URL",
    "vllm": "VLLM_BASE_URL",
    "llamacpp": "LLAMACPP_BASE_URL",
    "mlx": "MLX_BASE_URL",
}


def local(model: str, provider: str, url: str | None = None, wire: str | None = None, **more: Any) -> dict[str, Any]:
    """An entry of this machine; `wire` is the name its server knows it by."""
    config = {name: value for name, value in (("baseUrl", url), ("model", wire)) if value is not None}
    config |= more.pop("config", {})
    return entry("mlx" if provider == "mlx" else "openai-compat", config, id=model, provider=provider, **more)


def cloud(**config: Any) -> dict[str, Any]:
    config = {"baseUrl": "https://api.example.com/v1", **config}
    return entry(config=config, id="the-entry", locality="cloud", privacyAllowed=["public"])


def asked(
    *models: Mapping[str, Any], seconds: float = PATIENT, routing: Mapping[str, Any] | None = None, **environ: str
) -> dict[str, Availability]:
    """What is available of these entries, over real connections."""
    catalog = Catalog.model_validate({"models": list(models), "routing": dict(routing or {})})
    found = availability(catalog, environ=environ, seconds=seconds)
    assert list(found) == [model["id"] for model in models]
    return found


def one(model: Mapping[str, Any], seconds: float = PATIENT, **environ: str) -> Availability:
    return asked(model, seconds=seconds, **environ)[str(model["id"])]


def over(
    handler: Callable[[httpx.Request], httpx.Response], catalog: Catalog, environ: Mapping[str, str] | None = None
) -> dict[str, Availability]:
    """The same with a function in the network's place."""

    async def run() -> dict[str, Availability]:
        pool = AsyncPool(httpx.MockTransport(handler))
        try:
            return await availability_async(catalog, pool, environ=environ or {}, seconds=PATIENT)
        finally:
            await pool.aclose()

    return asyncio.run(run())


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_catalog(MODELS)


@pytest.fixture(scope="module")
def llamacpp() -> Iterator[LlamaCppServer]:
    with LlamaCppServer(smollm2(), context=512) as server:
        yield server


def vllm(*names: str, key: str | None = None) -> Callable[[Seen], bytes]:
    """A `FakeServer` script: vLLM, so far as it tells of itself. `/health` and `/version` want no key."""

    def script(seen: Seen) -> bytes:
        if seen.target == "/version":
            return raw_http(json.dumps({"version": "0.32.0"}))
        if seen.target == "/health":
            return raw_http("")
        if key is not None and seen.headers.get("authorization") != f"Bearer {key}":
            return raw_http(json.dumps({"error": "Unauthorized"}), "401 Unauthorized")
        if seen.target == "/v1/models":
            rows = [{"id": n, "object": "model", "owned_by": "vllm", "root": n, "max_model_len": 512} for n in names]
            return raw_http(json.dumps({"object": "list", "data": rows}))
        return raw_http(json.dumps({"detail": "Not Found"}), "404 Not Found")

    return script


# The cloud


@pytest.mark.parametrize(
    ("environ", "available"),
    [({}, False), ({"K": ""}, False), ({"K": " \t\n"}, False), ({"K": "s3cret"}, True), ({"OTHER": "x"}, False)],
)
def test_a_cloud_entry_is_available_when_its_key_is_set(
    environ: dict[str, str], available: bool, connections: Connections
) -> None:
    found = one(cloud(apiKeyEnv="K"), **environ)
    assert (found.available, found.live, found.url) == (available, None, None)
    assert "K" in found.detail
    assert "s3cret" not in json.dumps(found.to_dict())
    assert connections.addresses == []


def test_a_cloud_entry_without_a_key_variable_needs_none(connections: Connections) -> None:
    assert one(cloud()).available
    assert connections.addresses == []


# Every server is recognised by what it says, wherever it stands


def test_every_runtime_knows_its_own_servers_and_no_other(
    mlx: MlxServer, llamacpp: LlamaCppServer, connections: Connections
) -> None:
    """All servers at all providers' addresses, and each has the model: what differs is who answers."""
    name = str(smollm2())
    with (
        FakeOllama([OllamaModel(name)]) as ollama,
        FakeLmStudio([LmStudioModel(name)]) as studio,
        FakeServer([vllm(name)]) as fake_vllm,
    ):
        servers = {
            "ollama": ollama.base_url,
            "lmstudio": studio.base_url,
            "vllm": fake_vllm.url,
            "llamacpp": llamacpp.base_url,
            "mlx": mlx.base_url,
        }
        entries = [
            local(f"{provider}-at-{server}", provider, url, name)
            for provider in servers
            for server, url in servers.items()
        ]
        found = asked(*entries)
    live = {key for key, value in found.items() if value.live}
    assert live == {f"{provider}-at-{provider}" for provider in servers}
    assert {key for key, value in found.items() if value.available} == live
    assert found["mlx-at-llamacpp"].detail == "what answers there is not mlx"
    assert found["llamacpp-at-mlx"].detail == "what answers there is not llamacpp"
    assert connections.foreign == []


def test_an_mlx_server_without_a_hub_cache_answers_200_and_nothing(tiny_model: Any) -> None:
    with MlxServer(tiny_model, hub_cache=False) as server:
        empty = httpx.get(server.base_url + "/v1/models", timeout=PATIENT, trust_env=False)
        assert (empty.status_code, empty.content) == (200, b"")
        found = asked(
            local("mlx", "mlx", server.base_url),
            local("versioned", "mlx", server.base_url + "/v1/"),
            *(local(f"as-{provider}", provider, server.base_url) for provider in PROVIDERS if provider != "mlx"),
        )
    assert {key for key, value in found.items() if value.live} == {"mlx", "versioned"}


def test_ollama_has_the_model_or_not() -> None:
    with FakeOllama() as ollama:
        names = {
            "tagged": "qwen3:4b",
            "latest-unsaid": "llama3.2",
            "latest-said": "llama3.2:latest",
            "another-tag": "llama3.2:1b",
            "absent": "qwen3:8b",
            "without-tag": "qwen3",
        }
        found = asked(*(local(key, "ollama", ollama.base_url, wire) for key, wire in names.items()))
    assert {key for key, value in found.items() if value.available} == {"tagged", "latest-unsaid", "latest-said"}
    assert "qwen3:8b" in found["absent"].detail
    assert found["absent"].live is False


def test_ollama_without_any_model_is_up_and_has_none() -> None:
    with FakeOllama([]) as ollama:
        assert not one(local("x", "ollama", ollama.base_url, "qwen3:4b")).available


def test_an_entry_without_a_wire_name_is_looked_for_by_its_id() -> None:
    with FakeOllama([OllamaModel("my-model")]) as ollama:
        found = asked(local("my-model", "ollama", ollama.base_url), local("your-model", "ollama", ollama.base_url))
    assert [value.live for value in found.values()] == [True, False]


def test_a_detail_that_hangs_does_not_hide_the_list() -> None:
    with FakeOllama([OllamaModel("m")]) as ollama:
        ollama.inject(Fault(delay=threading.Event(), path="/api/show"))
        found = one(local("x", "ollama", ollama.base_url, "m"), seconds=2.0)
    assert found.live


def test_lm_studio_loads_a_listed_model_when_it_is_needed() -> None:
    models = [LmStudioModel("in-memory"), LmStudioModel("on-disk", loaded=False)]
    with FakeLmStudio(models) as studio:
        found = asked(*(local(name, "lmstudio", studio.base_url, name) for name in ("in-memory", "on-disk", "absent")))
        assert studio.loaded == {"in-memory"}, "asking loads nothing"
    assert [value.live for value in found.values()] == [True, True, False]


def test_lm_studio_without_just_in_time_loading_serves_only_what_is_loaded() -> None:
    models = [LmStudioModel("in-memory"), LmStudioModel("in-memory-too"), LmStudioModel("on-disk", loaded=False)]
    with FakeLmStudio(models, quirks=LmStudioQuirks(no_jit=True)) as studio:
        refused = httpx.post(
            studio.base_url + "/v1/chat/completions",
            json={"model": "on-disk", "messages": [{"role": "user", "content": "hi"}]},
            trust_env=False,
        )
        assert refused.status_code == 404
        found = asked(*(local(name, "lmstudio", studio.base_url, name) for name in ("in-memory", "on-disk")))
    assert [value.live for value in found.values()] == [True, False]


def test_lm_studios_200_with_an_error_is_no_server_of_another_kind() -> None:
    with FakeLmStudio() as studio:
        others = [local(provider, provider, studio.base_url, "no-such") for provider in PROVIDERS]
        found = asked(*others)
    assert not any(value.live for value in found.values())


def test_an_old_lm_studio_is_known_by_its_200_with_an_error() -> None:
    def old(seen: Seen) -> bytes:
        if seen.target == "/v1/models":
            return raw_http(json.dumps({"object": "list", "data": [{"id": "old-model", "object": "model"}]}))
        return raw_http(json.dumps({"error": f"Unexpected endpoint or method. (GET {seen.target})"}))

    with FakeServer([old]) as server:
        found = asked(local("a", "lmstudio", server.url, "old-model"), local("b", "lmstudio", server.url, "other"))
    assert [value.live for value in found.values()] == [True, False]


def test_vllm_has_the_alias_or_not() -> None:
    with FakeServer([vllm("served", "alias")]) as server:
        found = asked(*(local(name, "vllm", server.url, name) for name in ("served", "alias", "root")))
    assert [value.live for value in found.values()] == [True, True, False]


def test_llamacpp_and_mlx_take_any_name(mlx: MlxServer, llamacpp: LlamaCppServer) -> None:
    found = asked(local("a", "llamacpp", llamacpp.base_url, "whatever"), local("b", "mlx", mlx.base_url))
    assert all(value.live for value in found.values())


# What answers is something else


SAME_ANSWER_TO_EVERYTHING = [
    b"",
    b" \n",
    b"<!doctype html><title>Welcome</title>",
    b"OK",
    b"null",
    b"true",
    b"0",
    b'"ok"',
    b"{}",
    b"[]",
    b"[[], {}, null, 1]",
    b'[{"id": "the-model", "name": "the-model"}]',
    b'{"error": "no"}',
    b'{"error": {"message": "no"}}',
    b'{"status": "ok"}',
    b'{"data": null}',
    b'{"data": {"id": "the-model"}}',
    b'{"data": [null, 1, "the-model", ["the-model"]]}',
    b'{"models": ["the-model", null]}',
    b'{"models": "the-model"}',
    b'{"data": [{"id": ["the-model"]}], "models": [{"name": {"the-model": 1}}]}',
    b'{"object": "list", "data": []}',
    b'\xff\xfe{"data": 1',
    b'{"data": [{"id": "the-model"}], "error": "but no"}',
    b"[" * 100_000,
    b'{"a":' * 2_000,
    b"9" * 10_000,
    b'{"version": "1"}',
]


@pytest.mark.parametrize("body", SAME_ANSWER_TO_EVERYTHING, ids=lambda body: repr(body[:24]))
def test_what_answers_the_same_to_everything_is_no_server(body: bytes) -> None:
    models = [local(provider, provider, "http://localhost:1", "the-model") for provider in PROVIDERS]
    catalog = Catalog.model_validate({"models": models})
    for status in (200, 204, 302, 401, 404, 503):
        answer = httpx.Response(status, content=body)
        found = over(lambda _, answer=answer: answer, catalog)
        assert list(found) == list(PROVIDERS)
        assert not any(value.available or value.live for value in found.values()), (status, found)
        assert all(value.detail for value in found.values())


def test_an_envelope_with_a_status_and_data_is_no_mlx_server() -> None:
    catalog = Catalog.model_validate({"models": [local("mlx", "mlx", "http://localhost:1")]})
    found = over(lambda _: httpx.Response(200, content=b'{"status": "ok", "data": []}'), catalog)
    assert not found["mlx"].live


def test_a_web_server_is_no_model_server() -> None:
    page = raw_http("<html><body>It works!</body></html>", content_type="text/html")
    with FakeServer([page]) as server:
        found = asked(*(local(provider, provider, server.url) for provider in PROVIDERS))
    assert not any(value.available for value in found.values())


# Locked, loading, silent, endless


def test_a_server_that_wants_a_key_is_asked_with_the_entrys_key() -> None:
    with FakeServer([vllm("m", key="right")]) as server:
        url = server.url
        found = asked(
            local("none", "vllm", url, "m"),
            local("unset", "vllm", url, "m", config={"apiKeyEnv": "UNSET_KEY"}),
            local("wrong", "vllm", url, "m", config={"apiKeyEnv": "WRONG_KEY"}),
            local("right", "vllm", url, "m", config={"apiKeyEnv": "RIGHT_KEY"}),
            local("generic", "acme", url, "m"),
            WRONG_KEY="wrong",
            RIGHT_KEY="right",
        )
    assert [value.live for value in found.values()] == [False, False, False, True, False]
    assert {found[name].detail for name in ("none", "unset", "wrong", "generic")} == {"it wants a key"}


def test_headers_of_an_entry_travel_with_the_question() -> None:
    with FakeServer([vllm("m")]) as server:
        one(local("x", "vllm", server.url, "m", config={"headers": {"x-team": "blue"}}))
        assert {seen.headers.get("x-team") for seen in server.seen} == {"blue"}


def test_a_password_in_the_address_is_used_and_not_shown() -> None:
    with FakeServer([vllm("m")]) as server:
        found = one(local("x", "vllm", server.url.replace("//", "//me:hunter2@"), "m"))
        assert all("authorization" in seen.headers for seen in server.seen)
    assert found.live
    assert "hunter2" not in json.dumps(found.to_dict())


def test_a_server_that_loads_its_model_says_so() -> None:
    loading = raw_http(json.dumps({"error": {"code": 503, "message": "Loading model"}}), "503 Service Unavailable")
    with FakeServer([loading]) as server:
        found = asked(*(local(provider, provider, server.url) for provider in PROVIDERS))
    assert not any(value.available for value in found.values())
    assert "loading" in found["llamacpp"].detail


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"", after="hang"),
        Reply(b"HTTP/1.1 200 OK\r\ncontent-type: app", after="hang"),
        Reply(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", after="hang"),
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_a_server_that_falls_silent_is_given_up(provider: str, reply: Reply) -> None:
    with FakeServer([reply]) as server:
        found = one(local("x", provider, server.url), seconds=HASTY)
    assert (found.available, found.live) == (False, False)
    assert "0.3 s" in found.detail


def test_a_silent_server_does_not_silence_the_others() -> None:
    with FakeServer([Reply(b"", after="hang")]) as mute, FakeOllama([OllamaModel("m")]) as ollama:
        found = asked(local("mute", "vllm", mute.url), local("alive", "ollama", ollama.base_url, "m"), seconds=1.5)
    assert [value.live for value in found.values()] == [False, True]


@pytest.mark.parametrize("head", [b"content-length: 1000000\r\n", b""], ids=["of a length", "of none"])
def test_a_server_that_drips_is_given_up_too(head: bytes) -> None:
    raw = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n{"
    with FakeServer([Reply(raw, after="drip", drip=b" ")]) as server:
        found = one(local("x", "ollama", server.url), seconds=HASTY)
    assert found.live is False
    assert not server.ran_dry


def test_of_a_huge_body_no_more_is_read_than_a_list_needs() -> None:
    raw = raw_http(b'{"models": [' + b'{"name": "m"},' * 1_500_000 + b'{"name": "m"}]}')
    with FakeServer([raw]) as server:
        assert one(local("x", "ollama", server.url, "m")).live is False


def test_a_list_of_thousands_is_read_whole_and_only_some_are_asked_about() -> None:
    models = [OllamaModel(f"m{number}") for number in range(3000)]
    with FakeOllama(models) as ollama:
        assert one(local("x", "ollama", ollama.base_url, "m2999")).live
        assert len(ollama.seen) <= 60


@pytest.mark.parametrize("after", ["close", "reset"])
@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\n", b"\x16\x03\x01\x02\x00", b"220 mail ready\r\n"])
def test_what_speaks_no_http_is_told(raw: bytes, after: Any) -> None:
    with FakeServer([Reply(raw, after=after)]) as server:
        found = asked(*(local(provider, provider, server.url) for provider in PROVIDERS))
    assert not any(value.available for value in found.values())
    assert all(value.detail for value in found.values())


def test_nothing_listens_there() -> None:
    with FakeServer([b""]) as server:
        url = server.url
    found = one(local("x", "ollama", url))
    assert (found.available, found.live, found.detail) == (False, False, "nothing listens there")


# Where it goes


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
@pytest.mark.parametrize("locality", ["local", "on-prem"])
def test_a_redirect_leads_nowhere(status: str, locality: str, connections: Connections) -> None:
    with FakeServer([raw_http("", status, location=f"http://{ELSEWHERE}/v1/models")]) as server:
        models = [local(provider, provider, server.url, locality=locality) for provider in PROVIDERS]
        found = asked(*models)
    assert not any(value.available for value in found.values())
    assert connections.foreign == []
    assert connections.addresses


@pytest.mark.parametrize(
    "location", ["http://[", "http://a:b:c/", "//", "http://\x7f/", "mailto:x", "/api/tags", "\xff"]
)
def test_an_odd_redirect_is_told(location: str) -> None:
    raw = raw_http("", "302 Found").replace(b"connection:", f"location: {location}\r\nconnection:".encode("latin-1"))
    with FakeServer([raw]) as server:
        assert one(local("x", "ollama", server.url)).live is False


def test_the_environment_moves_a_server_but_not_past_the_guard(connections: Connections) -> None:
    found = one(local("x", "mlx", "http://127.0.0.1:1"), MLX_BASE_URL=f"http://{ELSEWHERE}:8081")
    assert found.live is False
    assert found.available, "the variable is set, and that is the rule"
    assert ELSEWHERE in found.detail
    assert "MLX_BASE_URL" in found.detail
    assert connections.addresses == []


@pytest.mark.parametrize("answers", [[[ELSEWHERE]], [["127.0.0.1", ELSEWHERE]]])
def test_a_name_that_leads_elsewhere_is_refused(
    answers: list[list[str]], names: Names, connections: Connections
) -> None:
    names.say("models.example", *answers)
    found = one(local("x", "ollama", "http://models.example:1"), OLLAMA_BASE_URL="")
    assert found.live is False
    assert connections.foreign == []


def test_an_entry_for_sensitive_requests_alone_is_asked_as_one(connections: Connections) -> None:
    """A chat with it would be refused by the guard, so it is not available; and its key is not for everybody."""
    config = {"apiKeyEnv": "K"}
    found = asked(
        local("x", "vllm", f"http://{ELSEWHERE}:8000", locality="on-prem", privacyAllowed=["sensitive"], config=config),
        routing={"sensitiveLocalities": ["local", "on-prem"]},
        seconds=HASTY,
        K="s3cret",
    )
    assert not found["x"].available
    assert connections.foreign == []


@pytest.mark.parametrize("provider", VARIABLES)
def test_a_variable_moves_its_runtime_and_an_empty_one_does_not(provider: str) -> None:
    places: list[str] = []

    def seen(request: httpx.Request) -> httpx.Response:
        places.append(f"{request.url.host}:{request.url.port}")
        return httpx.Response(404)

    catalog = Catalog.model_validate({"models": [local("x", provider)]})
    for value in ("", "http://localhost:4711", "http://localhost:4711/v1/"):
        places.clear()
        found = over(seen, catalog, {VARIABLES[provider]: value})["x"]
        assert found.available is bool(value), "set is enough"
        assert found.live is False
        assert VARIABLES[provider] in found.detail or not value
        defaults = {"ollama": 11434, "lmstudio": 1234, "vllm": 8000, "llamacpp": 8080, "mlx": 8081}
        assert set(places) == {f"localhost:{4711 if value else defaults[provider]}"}


@pytest.mark.parametrize("value", ["not a url", "ftp://localhost", "http://", "http://localhost:99999", "http://[::1"])
def test_a_variable_that_is_no_url_is_told(value: str) -> None:
    found = one(local("x", "mlx"), MLX_BASE_URL=value)
    assert found.live is False
    assert "MLX_BASE_URL" in found.detail


# Every entry has an answer


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
