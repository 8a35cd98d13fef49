"""All runtimes at once, and what each says of its models."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from aldo.schema import Catalog
from aldo.transport.probes import discover
from aldo.transport.probes.projection import normalised
from tests.support.fake_runtimes import FakeLmStudio, FakeOllama, LmStudioModel, OllamaModel, OllamaQuirks
from tests.support.fake_server import FakeServer, Seen
from tests.support.fake_server import http as raw_http
from tests.support.llamacpp_server import LlamaCppServer, smollm2
from tests.support.mlx_server import MlxServer
from tests.transport.conftest import Connections
from tests.transport.discovery.discovering import (
    ALL,
    PATIENT,
    THINKS,
    TOOLS,
    VARIABLES,
    check_overlay,
    check_tags,
    only,
    over,
    states,
    table,
)


def test_all_five_runtimes_at_once(
    mlx: MlxServer, llamacpp: LlamaCppServer, shipped: Catalog, tmp_path: Path, connections: Connections
) -> None:
    def vllm(seen: Seen) -> bytes:
        rows = [{"id": "openai/gpt-oss-20b", "object": "model", "owned_by": "vllm", "max_model_len": 131072}]
        found = {"/v1/models": {"object": "list", "data": rows}, "/version": {"version": "0.32.0"}}.get(seen.target)
        return raw_http(json.dumps(found)) if found else raw_http('{"detail": "Not Found"}', "404 Not Found")

    studio_models = [LmStudioModel("google/gemma-3-12b", loaded_context=32768), LmStudioModel("text-embedding-x-embed", "embeddings", max_context=2048, loaded=False)]  # fmt: skip
    ollama_models = [OllamaModel("Qwen3:4b", loaded=True, capabilities=("completion", "tools", "thinking")), OllamaModel("nomic-embed-text-v2", "nomic-bert", context=2048, capabilities=("embedding",))]  # fmt: skip
    with FakeOllama(ollama_models) as ollama, FakeLmStudio(studio_models) as studio, FakeServer([vllm]) as fake_vllm:
        urls = {
            "ollama": ollama.base_url,
            "lmstudio": studio.base_url + "/v1",
            "vllm": fake_vllm.url + "/",
            "llamacpp": llamacpp.base_url,
            "mlx": mlx.base_url + "/v1/",
        }
        environ = {VARIABLES[name]: url for name, url in urls.items()}
        found = discover(shipped, environ=environ, seconds=PATIENT)
    assert states(found) == dict.fromkeys(ALL, "up")
    plain = {name: url.rstrip("/").removesuffix("/v1") for name, url in urls.items()}
    assert {one.runtime: one.url for one in found.found} == plain
    by_id = {one["id"]: one for one in found.entries}
    assert list(by_id) == [
        "qwen3-4b",
        "nomic-embed-text-v2",
        "gemma-3-12b",
        "text-embedding-x-embed",
        "gpt-oss-20b",
        normalised(str(smollm2())),
        normalised(str(mlx.model)),
    ]
    for one in found.entries:
        assert one["locality"] == "local"
        assert one["privacyAllowed"] == ["public", "internal", "sensitive"]
        assert one["cost"] == {"usdPerMtokIn": 0, "usdPerMtokOut": 0}
        assert one["providerKind"] == ("mlx" if one["provider"] == "mlx" else "openai-compat")
        assert one["providerConfig"]["baseUrl"] == plain[one["provider"]]
    told = {key: (one["capabilityClass"], one["effectiveContextTokens"]) for key, one in by_id.items()}
    assert list(told.values()) == [
        ("local-reasoning", 4096),  # what it is loaded with, not what it was trained for
        ("embeddings", 2048),
        ("local-reasoning", 32768),
        ("embeddings", 2048),
        ("local-reasoning", 131072),
        ("local-reasoning", 512),
        ("local-reasoning", 8192),  # mlx_lm.server does not say
    ]
    assert set(by_id["qwen3-4b"]["provides"]) == {"streaming", "json-mode", "structured-output", *TOOLS, *THINKS}
    assert by_id["qwen3-4b"]["providerConfig"]["model"] == "Qwen3:4b"
    assert "structured-output" in by_id[normalised(str(smollm2()))]["provides"]
    check_tags(found)
    check_overlay(found, tmp_path)
    assert connections.foreign == []


def test_what_ollama_says_of_a_model_counts_and_not_its_name(tmp_path: Path) -> None:
    models = [
        OllamaModel("qwen3:4b", capabilities=("completion",)),
        OllamaModel("plain", capabilities=("completion", "tools", "vision", "thinking", "insert")),
        OllamaModel("of-no-telling-name", capabilities=("embedding",), context=512, served=512),
    ]
    with FakeOllama(models) as ollama:
        found = discover(
            None, environ={"OLLAMA_BASE_URL": ollama.base_url, "ALDO_LOCAL_DISCOVERY": "ollama"}, seconds=PATIENT
        )
    bare, able, vectors = found.entries
    assert set(bare["provides"]) == {"streaming", "json-mode", "structured-output"}
    assert set(able["provides"]) >= {"vision", "code-fim", *TOOLS, *THINKS}
    assert (vectors["capabilityClass"], vectors["provides"]) == ("embeddings", ["embeddings"])
    check_overlay(found, tmp_path)


def test_an_old_ollama_says_nothing_and_the_name_counts() -> None:
    quirks = OllamaQuirks(no_context_in_ps=True, no_capabilities_in_show=True)
    with FakeOllama([OllamaModel("qwen3:4b", loaded=True)], "0.5.7", quirks) as ollama:
        found = discover(
            None, environ={"OLLAMA_BASE_URL": ollama.base_url, "ALDO_LOCAL_DISCOVERY": "ollama"}, seconds=PATIENT
        )
    assert set(only(found)["provides"]) == {"streaming", "structured-output", *TOOLS, *THINKS}
    assert only(found)["effectiveContextTokens"] == 8192


def test_the_context_of_a_model_file_counts() -> None:
    answers = {
        "/api/tags": {"models": [{"name": "m"}]},
        "/api/show": {"capabilities": ["completion"], "parameters": 'stop "x"\nnum_ctx      65536'},
    }
    found = over(table(answers), None, "ollama")
    assert only(found)["effectiveContextTokens"] == 65536
    assert "32k-context" in only(found)["provides"]


def test_a_context_of_thousands_of_digits_is_none() -> None:
    answers = {"/api/tags": {"models": [{"name": "m"}]}, "/api/show": {"parameters": f"num_ctx {'9' * 5000}"}}
    assert only(over(table(answers), None, "ollama"))["effectiveContextTokens"] == 8192


def test_nothing_runs_here(shipped: Catalog) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    found = over(down, shipped)
    assert states(found) == dict.fromkeys(ALL, "down")
    assert (found.entries, found.known) == ((), ())
    assert all(one.detail for one in found.found)
