"""Every server is recognised by what it says and not by its status, wherever it stands; its models by its list."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.fake_runtimes import FakeLmStudio, FakeOllama, Fault, LmStudioModel, LmStudioQuirks, OllamaModel
from tests.support.fake_server import FakeServer, Seen
from tests.support.fake_server import http as raw_http
from tests.support.llamacpp_server import LlamaCppServer, smollm2
from tests.support.mlx_server import MlxServer
from tests.transport.availability.asking import PATIENT, PROVIDERS, asked, local, one, vllm
from tests.transport.conftest import Connections


@pytest.fixture(scope="module")
def llamacpp() -> Iterator[LlamaCppServer]:
    with LlamaCppServer(smollm2(), context=512) as server:
        yield server


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
