"""Discovery: what runs on this machine becomes an overlay that loads, whatever the servers say. Never raises for it."""

from __future__ import annotations

import asyncio
import datetime
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from aldo.catalog import load_catalog
from aldo.errors import UsageError
from aldo.router import route
from aldo.schema import Catalog, RouteRequest
from aldo.schema.kinds import kind_data
from aldo.schema.vocabulary import CAPABILITIES
from aldo.transport.pool import AsyncPool
from aldo.transport.probes import Discovery, discover, discover_async
from aldo.transport.probes.discovery import chosen_runtimes
from aldo.transport.probes.projection import context_tags, normalised, projected
from aldo.validate.lint import lint
from tests.support.bound import entry
from tests.support.cases import MODELS
from tests.support.fake_runtimes import FakeLmStudio, FakeOllama, LmStudioModel, OllamaModel, OllamaQuirks
from tests.support.fake_server import FakeServer, Reply, Seen
from tests.support.fake_server import http as raw_http
from tests.support.llamacpp_server import LlamaCppServer, smollm2
from tests.support.mlx_server import MlxServer
from tests.transport.conftest import Connections

PATIENT = 30.0
HASTY = 0.3
TODAY = datetime.date(2026, 11, 22)
ELSEWHERE = "192.0.2.1"
VARIABLES = {
    "ollama": "OLLAMA_BASE_URL",
    "lmstudio": "LM_STUDIO_BASE_URL",
    "vllm": "VLLM_BASE_URL",
    "llamacpp": "LLAMACPP_BASE_URL",
    "mlx": "MLX_BASE_URL",
}
ALL = tuple(VARIABLES)
PORTS = {"ollama": 11434, "lmstudio": 1234, "vllm": 8000, "llamacpp": 8080, "mlx": 8081}
TOOLS = ("tool-use", "function-calling")
THINKS = ("reasoning", "extended-thinking")

Handler = Callable[[httpx.Request], httpx.Response]


def over(handler: Handler, catalog: Catalog | None = None, runtimes: str | None = None, **environ: str) -> Discovery:
    """What is discovered with a function in the network's place."""
    environ |= {} if runtimes is None else {"ALDO_LOCAL_DISCOVERY": runtimes}

    async def run() -> Discovery:
        pool = AsyncPool(httpx.MockTransport(handler))
        try:
            return await discover_async(catalog, pool, environ=environ, seconds=PATIENT)
        finally:
            await pool.aclose()

    return asyncio.run(run())


def table(answers: Mapping[str, Any]) -> Handler:
    """By path: the JSON of a 200, a whole response, or 404 for what is not there."""

    def handler(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.path)
        if isinstance(found, httpx.Response):
            return httpx.Response(found.status_code, content=found.content)
        if found is None:
            return httpx.Response(404, content=b"Not Found")
        return httpx.Response(200, content=json.dumps(found).encode())

    return handler


def vllm_of(*names: str, context: Any = 4096) -> Handler:
    rows = [{"id": name, "object": "model", "owned_by": "vllm", "max_model_len": context} for name in names]
    return table({"/v1/models": {"object": "list", "data": rows}})


def mlx_of(*names: str) -> Handler:
    rows = [{"id": name, "object": "model", "created": 1} for name in names]
    return table({"/health": {"status": "ok"}, "/v1/models": {"object": "list", "data": rows}})


def only(found: Discovery) -> Mapping[str, Any]:
    (entry_found,) = found.entries
    return entry_found


def states(found: Discovery) -> dict[str, str]:
    return {one.runtime: one.state for one in found.found}


def written(found: Discovery, directory: Path) -> Path:
    path = directory / "found.yaml"
    path.write_text(found.overlay(), encoding="utf-8")
    return path


def problems(found: Discovery, directory: Path) -> list[str]:
    """What lint has against the overlay, laid over the shipped catalog."""
    report = lint(MODELS, overlays=[written(found, directory)], today=TODAY)
    return [str(finding)[:300] for finding in report.findings if finding.severity in ("error", "warning")]


class _WithoutDates(yaml.SafeLoader):
    """Any other program's YAML reader, but for the dates that are in a test of their own."""


_WithoutDates.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith("timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def check_overlay(found: Discovery, directory: Path) -> None:
    """The overlay holds what `entries` says, loads without a word of blame, and a request reaches all of it."""
    ids = [one["id"] for one in found.entries]
    assert len(ids) == len(set(ids))
    assert found.value().get("add", []) == list(found.entries)
    if not ids:
        return
    assert problems(found, directory) == []
    path = written(found, directory)
    assert yaml.load(path.read_text(encoding="utf-8"), _WithoutDates) == found.value()
    catalog = load_catalog(MODELS, overlays=[path])
    for one in found.entries:
        assert catalog.by_id[one["id"]].provider_config.base_url == one["providerConfig"]["baseUrl"]
        half = one["effectiveContextTokens"] // 2
        request = {
            "capabilityClass": one["capabilityClass"],
            "privacy": "sensitive",
            "requires": one["provides"],
            "pin": one["id"],
            "tokensIn": half,
            "maxTokensOut": one["effectiveContextTokens"] - half,
        }
        assert route(catalog, RouteRequest.model_validate(request)).model == one["id"]


def check_tags(found: Discovery) -> None:
    """Context tags say what the context says, and no kind claims what it cannot serve."""
    for one in found.entries:
        tags, context = set(one["provides"]), one["effectiveContextTokens"]
        said = {tag for tag in tags if tag.endswith("-context")}
        if one["capabilityClass"] == "embeddings":
            assert tags == {"embeddings"}
        else:
            assert said == set(context_tags(context))
        assert not tags & set(kind_data(one["providerKind"]).cannot_serve)
        assert one["capabilityClass"] not in kind_data(one["providerKind"]).cannot_serve
        assert list(one["provides"]) == [tag for tag in CAPABILITIES if tag in tags], "the vocabulary's order"


@pytest.fixture(scope="module")
def llamacpp() -> Iterator[LlamaCppServer]:
    with LlamaCppServer(smollm2(), context=512) as server:
        yield server


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_catalog(MODELS)


# All at once


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


# Which runtimes are asked, and where


CHOSEN = [
    (None, ALL),
    ("", ALL),
    ("  ", ALL),
    ("ollama", ("ollama",)),
    ("OLLAMA", ("ollama",)),
    (" vllm , Mlx ", ("vllm", "mlx")),
    ("mlx,mlx,mlx", ("mlx",)),
    ("mlx,,ollama,", ("ollama", "mlx")),
    ("ollama,lmstudio,vllm,llamacpp,mlx", ALL),
    ("none", ()),
    (" NONE ", ()),
]


@pytest.mark.parametrize(("value", "runtimes"), CHOSEN)
def test_the_variable_names_the_runtimes(value: str | None, runtimes: tuple[str, ...]) -> None:
    asked: set[int | None] = set()

    def seen(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "localhost"
        asked.add(request.url.port)
        return httpx.Response(404)

    found = over(seen, None, value)
    assert tuple(one.runtime for one in found.found) == runtimes == chosen_runtimes(value)
    assert asked == {PORTS[name] for name in runtimes}


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("olama", "ollama"),
        ("lm-studio", "lmstudio"),
        ("mlx,vlm", "vllm"),
        ("llama.cpp", "llamacpp"),
        ("ollama mlx", ""),
    ],
)
def test_a_typo_is_told_with_what_was_meant(value: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        discover(None, environ={"ALDO_LOCAL_DISCOVERY": value})
    assert "ALDO_LOCAL_DISCOVERY" in str(caught.value)
    assert meant in str(caught.value)


@pytest.mark.parametrize("value", ["xyzzy", "none,ollama", "\u0130"])
def test_what_is_near_nothing_is_told_with_what_there_is(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen_runtimes(value)
    assert all(name in str(caught.value) for name in ALL)


def test_a_variable_that_is_no_url_is_bad_usage() -> None:
    with pytest.raises(UsageError, match="MLX_BASE_URL"):
        discover(None, environ={"ALDO_LOCAL_DISCOVERY": "mlx", "MLX_BASE_URL": "localhost:8081"})
    # The variable of a runtime that is not asked is nobody's business.
    assert over(table({}), None, "vllm", MLX_BASE_URL="localhost:8081").found[0].runtime == "vllm"


def test_another_machine_is_not_asked(connections: Connections) -> None:
    environ = dict.fromkeys(VARIABLES.values(), f"http://{ELSEWHERE}:1")
    found = discover(None, environ=environ, seconds=HASTY)
    assert states(found) == dict.fromkeys(ALL, "down")
    assert all(ELSEWHERE in one.detail or ELSEWHERE in one.url for one in found.found)
    assert connections.addresses == []


def test_a_redirect_leads_nowhere(connections: Connections) -> None:
    with FakeServer([raw_http("", "302 Found", location=f"http://{ELSEWHERE}/")]) as server:
        found = discover(None, environ=dict.fromkeys(VARIABLES.values(), server.url), seconds=PATIENT)
    assert states(found) == dict.fromkeys(ALL, "down")
    assert connections.foreign == []


@pytest.mark.parametrize(
    "reply",
    [Reply(b"", after="hang"), Reply(b"HTTP/1.1 200 OK\r\n\r\n[", after="drip", drip=b" ")],
    ids=["silent", "endless"],
)
def test_a_server_that_never_ends_is_given_up(reply: Reply) -> None:
    with FakeServer([reply]) as server:
        found = discover(None, environ=dict.fromkeys(VARIABLES.values(), server.url), seconds=HASTY)
    assert states(found) == dict.fromkeys(ALL, "down")
    assert not server.ran_dry


def test_a_password_in_a_variable_reaches_its_server_and_no_overlay() -> None:
    with FakeOllama([OllamaModel("m")]) as ollama:
        url = ollama.base_url.replace("//", "//me:hunter2@")
        found = discover(None, environ={"OLLAMA_BASE_URL": url, "ALDO_LOCAL_DISCOVERY": "ollama"}, seconds=PATIENT)
        assert all("authorization" in asked.headers for asked in ollama.seen)
    assert only(found)["providerConfig"]["baseUrl"] == ollama.base_url
    assert "hunter2" not in found.overlay() + json.dumps([one.to_dict() for one in found.found])


def test_a_server_that_loads_or_wants_a_key_is_told(tmp_path: Path) -> None:
    loading = table({"/props": httpx.Response(503, json={"error": {"code": 503, "message": "Loading model"}})})
    assert states(over(loading, None, "llamacpp")) == {"llamacpp": "loading"}
    key = httpx.Response(401, json={"error": "Unauthorized"})
    locked = over(table({"/v1/models": key, "/version": {"version": "0.32.0"}}), None, "vllm")
    assert states(locked) == {"vllm": "locked"}
    assert locked.found[0].detail == "it wants a key"
    assert locked.entries == ()


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"", b"{}", b'{"error": "login"}'])
def test_what_wants_a_login_is_not_yet_a_model_server(body: bytes) -> None:
    found = over(lambda _: httpx.Response(401, content=body), None)
    assert states(found) == dict.fromkeys(ALL, "down")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b"null", b"", b'{"status":"ok"}', b'[{"id":"x"}]'])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_what_answers_the_same_to_everything_is_nobody(status: int, body: bytes) -> None:
    assert states(over(lambda _: httpx.Response(status, content=body))) == dict.fromkeys(ALL, "down")


@pytest.mark.parametrize("body", [b'{"data": [1, null, "x"]}', b'{"models": [1, "x"]}'])
def test_a_list_of_junk_is_nobodys(body: bytes) -> None:
    assert states(over(lambda _: httpx.Response(200, content=body))) == dict.fromkeys(ALL, "down")


# What a name stands for


STRUCTURED = ("structured-output",)
LONG = ("128k-context",)
QWEN25 = (*TOOLS, *STRUCTURED, *LONG)
QWEN3 = (*QWEN25, *THINKS)
THINKER = (*THINKS, *STRUCTURED, *LONG)
NAMES = [
    ("qwen2.5:7b", QWEN25),
    ("Qwen/Qwen2.5-7B-Instruct", QWEN25),
    ("QWEN-2.5-72B", QWEN25),
    ("mlx-community/Qwen2.5-7B-Instruct-4bit", QWEN25),
    ("qwen2.5-coder:32b", (*QWEN25, "code-fim")),
    ("Qwen2.5-Coder-7B-Instruct-Q4_K_M.gguf", (*QWEN25, "code-fim")),
    ("qwen3:8b", QWEN3),
    ("qwen-3-14b", QWEN3),
    ("lmstudio-community/Qwen3_30B_A3B.GGUF", QWEN3),
    ("qwen3-coder:30b", (*QWEN3, "code-fim")),
    ("qwen/qwen3_coder_480b", (*QWEN3, "code-fim")),
    ("llama3.1", QWEN25),
    ("llama3.1:8b", QWEN25),
    ("llama3.2:latest", QWEN25),
    ("meta-llama/Llama-3.3-70B-Instruct", QWEN25),
    ("meta-llama/Meta-Llama-3.1-8B-Instruct", QWEN25),
    ("Llama_3.2_3B.safetensors", QWEN25),
    ("llama4:scout", QWEN25),
    ("llama-4-maverick-17b", QWEN25),
    ("deepseek-r1:8b", THINKER),
    ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", THINKER),
    ("phi-4", THINKER),
    ("phi4:14b", THINKER),
    ("microsoft/Phi_4_mini", THINKER),
    ("gpt-oss:20b", (*THINKER, *TOOLS)),
    ("openai/gpt-oss-120b", (*THINKER, *TOOLS)),
    ("mistral:7b", (*TOOLS, *STRUCTURED)),
    ("mistralai/Mistral-Small-24B-Instruct-2501", (*TOOLS, *STRUCTURED)),
    ("gemma3:4b", STRUCTURED),
    ("google/gemma-3-27b-it", STRUCTURED),
    ("codellama:13b", ("code-fim",)),
    ("CodeLlama-7b-hf.gguf", ("code-fim",)),
    ("qwen2:7b", ()),
    ("qwen", ()),
    ("llama3", ()),
    ("llama-2-7b", ()),
    ("llama2:13b", ()),
    ("gemma2:9b", ()),
    ("phi3", ()),
    ("deepseek-v3", ()),
    ("gpt-4o", ()),
    ("my-own-model", ()),
    ("", ()),
]


@pytest.mark.parametrize(("name", "tags"), NAMES)
def test_a_name_stands_for_what_its_family_can(name: str, tags: tuple[str, ...]) -> None:
    found = projected(name)
    assert len(found) == len(set(found))
    assert set(found) == {"streaming", *tags}


@pytest.mark.parametrize("name", ["llama3:8b", "meta-llama/Meta-Llama-3-8B-Instruct", "llama-3-70b", "llama-7b", "llama-65b"])  # fmt: skip
def test_llama_before_3_1_calls_no_tools(name: str) -> None:
    assert projected(name) == ("streaming",)


@pytest.mark.parametrize("name", ["qwen:32b", "Qwen/Qwen-32B-Chat"])
def test_qwen_of_32b_is_no_qwen_3(name: str) -> None:
    assert projected(name) == ("streaming",)


@pytest.mark.parametrize(
    "name", ["nomic-embed-text", "nomic-embed-text:v1.5", "text-embedding-3-small", "Qwen/Qwen3-Embedding-0.6B",
             "mxbai-embed-large", "EMBED", "embeddinggemma"],
)  # fmt: skip
def test_a_name_with_embed_is_for_embeddings(name: str, tmp_path: Path) -> None:
    assert projected(name) == ("embeddings",)
    found = over(vllm_of(name), None, "vllm")
    assert only(found)["capabilityClass"] == "embeddings"
    assert only(found)["provides"] == ["embeddings"]
    check_overlay(found, tmp_path)


@pytest.mark.parametrize("name", ["embed-lab/qwen3-4b", "embedded.example/llama3.2"])
def test_whose_model_it_is_does_not_make_it_one_for_embeddings(name: str) -> None:
    assert "embeddings" not in projected(name)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("qwen3:4b", "qwen3-4b"),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b-instruct"),
        ("hf.co/bartowski/Llama_3.2_GGUF:Q4_K_M", "llama-3.2-gguf-q4-k-m"),
        ("/models/SmolLM2-135M.Q4_1.gguf", "smollm2-135m.q4-1"),
        ("Phi_4.safetensors", "phi-4"),
        ("a/b/c/", "c"),
        ("model.v1.5", "model.v1.5"),
        ("gemma-3n", "gemma-3n"),
    ],
)
def test_a_name_becomes_an_id(name: str, model: str) -> None:
    assert normalised(name) == model


@given(st.one_of(st.text(max_size=30), st.text("aA0._:/-@+ ", max_size=12)))
def test_an_id_is_lower_case_and_stays_what_it_is(name: str) -> None:
    model = normalised(name)
    assert model
    assert model == model.lower()
    assert not set(model) & set("/_: ")
    assume(not re.search(r"(latest|gguf|safetensors|bin|mlx|ggml)", model))
    assert normalised(model) == model


# One entry a model


def test_a_row_of_the_catalog_goes_first(tmp_path: Path) -> None:
    row = entry(config={"baseUrl": "http://localhost:1"}, id="qwen3-4b", provides=["streaming"])
    catalog = Catalog.model_validate({"models": [row]})
    found = over(vllm_of("Qwen/Qwen3-4B", "other"), catalog, "vllm")
    assert found.known == ("qwen3-4b",)
    assert [one["id"] for one in found.entries] == ["other"]
    assert found.found[0].models == ("Qwen/Qwen3-4B", "other")
    everything = over(vllm_of("qwen3-4b"), catalog, "vllm")
    assert (everything.entries, everything.known) == ((), ("qwen3-4b",))


def test_a_model_of_two_runtimes_is_two_entries(tmp_path: Path) -> None:
    with FakeOllama([OllamaModel("qwen3:4b")]) as ollama, FakeLmStudio([LmStudioModel("Qwen/qwen3-4b")]) as studio:
        environ = {"OLLAMA_BASE_URL": ollama.base_url, "LM_STUDIO_BASE_URL": studio.base_url}
        found = discover(None, environ={**environ, "ALDO_LOCAL_DISCOVERY": "lmstudio,ollama"}, seconds=PATIENT)
    first, second = found.entries
    assert [(one["id"], one["provider"]) for one in (first, second)] == [
        ("qwen3-4b", "ollama"),
        ("lmstudio-qwen3-4b", "lmstudio"),
    ]
    assert first["providerConfig"] == {"baseUrl": ollama.base_url, "model": "qwen3:4b"}
    assert second["providerConfig"] == {"baseUrl": studio.base_url, "model": "Qwen/qwen3-4b"}
    check_overlay(found, tmp_path)


def test_two_models_of_one_short_name_are_two_entries(tmp_path: Path) -> None:
    found = over(vllm_of("a/model", "b/model"), None, "vllm")
    assert [one["providerConfig"]["model"] for one in found.entries] == ["a/model", "b/model"]
    check_overlay(found, tmp_path)


def test_three_models_of_one_short_name_are_three_entries() -> None:
    found = over(vllm_of("a/model", "b/model", "c/model"), None, "vllm")
    assert [one["providerConfig"]["model"] for one in found.entries] == ["a/model", "b/model", "c/model"]


def test_a_model_that_is_listed_twice_is_one_entry() -> None:
    found = over(vllm_of("model", "model"), None, "vllm")
    assert [one["providerConfig"]["model"] for one in found.entries] == ["model"]


def test_a_server_of_one_model_is_not_told_its_name_where_it_takes_any(llamacpp: LlamaCppServer) -> None:
    found = discover(
        None, environ={"LLAMACPP_BASE_URL": llamacpp.base_url, "ALDO_LOCAL_DISCOVERY": "llamacpp"}, seconds=PATIENT
    )
    assert only(found)["providerConfig"] == {"baseUrl": llamacpp.base_url}


def test_mlx_without_a_list_is_one_entry_that_sends_the_default_model(tmp_path: Path) -> None:
    answers = {"/health": {"status": "ok"}, "/v1/models": httpx.Response(200)}
    found = over(table(answers), None, "mlx")
    assert "model" not in only(found)["providerConfig"]
    assert only(found)["providerKind"] == "mlx"
    check_overlay(found, tmp_path)


@pytest.mark.parametrize("name", ["mlx-community/gemma-3-4b-it", "qwen3", "gpt-oss", "unknown"])
def test_mlx_claims_nothing_that_it_cannot_serve(name: str, tmp_path: Path) -> None:
    found = over(mlx_of(name, "another"), None, "mlx")
    check_tags(found)
    check_overlay(found, tmp_path)


def test_mlx_claims_no_embeddings(tmp_path: Path) -> None:
    found = over(mlx_of("mlx-community/nomic-embed-text-v1.5", "mlx-community/Qwen3-4B"), None, "mlx")
    check_tags(found)
    check_overlay(found, tmp_path)


# The context


def test_a_context_that_nobody_states_is_8192_and_said_to_be_a_guess() -> None:
    found = over(vllm_of("qwen3-4b", context=None), None, "vllm")
    assert only(found)["effectiveContextTokens"] == 8192
    assert not any(tag.endswith("-context") for tag in only(found)["provides"])
    assert "8192 is a guess" in found.overlay()
    assert "guess" not in over(vllm_of("qwen3-4b", context=4096), None, "vllm").overlay()


@settings(max_examples=60)
@given(
    st.sampled_from([name for name, _ in NAMES if name] + ["nomic-embed-text"]),
    st.one_of(
        st.sampled_from([1, 31_999, 32_000, 127_999, 128_000, 199_999, 200_000, 999_999, 1_000_000]),
        st.integers(1, 10**8),
        st.sampled_from([None, 0, -1, 4096.0, "4096", True, [4096]]),
    ),
)
def test_context_tags_say_what_the_context_says(name: str, context: Any) -> None:
    found = over(vllm_of(name, context=context), None, "vllm")
    check_tags(found)
    stated = context if type(context) is int and context > 0 else 8192
    assert only(found)["effectiveContextTokens"] == stated


# Whatever a server lists


def named(names: Iterable[str], junk: list[Any], context: Any) -> dict[str, Handler]:
    """By runtime: a server that lists these names, and things that are no models."""
    names = list(names)
    rows = [{"id": name, "owned_by": "vllm", "max_model_len": context} for name in names]
    info = {"general.architecture": "a", "a.context_length": context}
    shown = {"capabilities": ["completion", 1, None, "tools"], "model_info": info, "parameters": f"num_ctx {context}"}
    studio = [{"id": name, "type": "llm", "state": "loaded", "loaded_context_length": context} for name in names]
    settings_ = {"default_generation_settings": {"n_ctx": context}}
    return {
        "ollama": table({"/api/tags": {"models": [*junk, *({"name": name} for name in names)]}, "/api/show": shown}),
        "lmstudio": table({"/api/v0/models": {"data": [one for one in junk if not isinstance(one, dict)] + studio}}),
        "vllm": table({"/v1/models": {"data": [*junk, *rows]}}),
        "llamacpp": table({"/props": settings_, "/v1/models": {"data": [*junk, *({"id": name} for name in names)]}}),
        "mlx": table(
            {"/health": {"status": "ok"}, "/v1/models": {"object": "list", "data": [{"id": name} for name in names]}}
        ),
    }


def by_port(handlers: Mapping[str, Handler]) -> Handler:
    runtimes = {port: name for name, port in PORTS.items()}
    return lambda request: handlers[runtimes[request.url.port or 0]](request)


def check_law(names: list[str], junk: list[Any], context: Any, catalog: Catalog | None, directory: Path) -> Discovery:
    found = over(by_port(named(names, junk, context)), catalog)
    assert set(states(found)) == set(ALL)
    check_tags(found)
    check_overlay(found, directory)
    return found


def check_none_is_missing(found: Discovery) -> None:
    taken = {one["id"] for one in found.entries} | set(found.known)
    for one in found.found:
        assert {normalised(name) for name in one.models if name} <= taken


PIECES = ["qwen3", "llama3.2", "coder", "yes", "null", "1.0", "0x1f", "2026-01-01", "~", "#", ": ", "- ", "*a", "&a",
          "!x", "%", "`", "'", '"', "\\", "{", "}", "[", "]", ",", "?", "|", ">", "\t", "\n", "\r", "\0", "\x85",
          "\u2028", "\ufeff", "\x1b[31m", "é", "İ", "ß", "模型", "🦙", "\u202e", "_", ":", "/", ".gguf", ":latest"]  # fmt: skip
JUNK = st.lists(
    st.one_of(
        st.none(),
        st.integers(),
        st.text(max_size=5),
        st.just([]),
        st.fixed_dictionaries({"id": st.one_of(st.none(), st.integers(), st.just([]), st.just({}), st.just(""))}),
        st.fixed_dictionaries({"name": st.one_of(st.none(), st.floats(), st.just([{}]), st.just(""))}),
    ),
    max_size=3,
)
CONTEXTS = st.one_of(st.integers(1, 10**12), st.sampled_from([None, 0, -5, 1, 2048, True, "8192", 1.5, [], {}, 10**12]))
TEXT = st.characters(exclude_categories=["Cs"])
NAMED = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join),
    st.text(TEXT, max_size=20),
    st.sampled_from(["", "/", "...", "-", "m" * 180, "Org/" * 500 + "m"]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(NAMED, max_size=4), JUNK, CONTEXTS, st.booleans())
def test_whatever_servers_list_the_overlay_loads(
    tmp_path: Path, shipped: Catalog, names: list[str], junk: list[Any], context: Any, known: bool
) -> None:
    check_none_is_missing(check_law(names, junk, context, shipped if known else None, tmp_path))


BROKEN = {
    "an id begins with @ or +": ["@cf/x/", "+model"],
    "an id is longer than a name may be": ["m" * 201],
    "a wire name is longer than a text may be": ["/" + "o" * 10_000 + "/m"],
    "a name is no Unicode": ["\ud800"],
}


@pytest.mark.parametrize("names", BROKEN.values(), ids=BROKEN)
def test_whatever_servers_are_called_the_overlay_loads(names: list[str], tmp_path: Path) -> None:
    check_law(names, [], 4096, None, tmp_path)


@pytest.mark.xfail(strict=True, reason="a name like a date is written without quotes: YAML 1.1 makes a date of it")
def test_a_model_that_is_called_like_a_date_keeps_its_name() -> None:
    found = over(vllm_of("2026-01-01"), None, "vllm")
    assert yaml.safe_load(found.overlay()) == found.value()


@pytest.mark.parametrize("context", [10**12 + 1, 10**30])
def test_whatever_context_servers_state_the_overlay_loads(context: int, tmp_path: Path) -> None:
    check_law(["model"], [], context, None, tmp_path)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.text(max_size=250), max_size=4), st.one_of(CONTEXTS, st.integers()))
@example(["\ud800"], 1)
@example(["@"], 1)
@example(["m" * 201], 1)
@example(["m"], 10**13)
def test_whatever_servers_list_at_all_the_overlay_loads(tmp_path: Path, names: list[str], context: Any) -> None:
    check_law(names, [], context, None, tmp_path)


BODIES = st.one_of(
    st.binary(max_size=30),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(TEXT, max_size=6)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(["data", "models", "id", "name", "error", "status", "state", "type", "n_ctx", "meta",
                                 "capabilities", "model_info", "default_generation_settings", "max_model_len"]),
                inner, max_size=4,
            ),
        ),
        max_leaves=10,
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from([200, 200, 401, 404, 503]), BODIES), min_size=1, max_size=12))
def test_whatever_bodies_come_nothing_is_raised(tmp_path: Path, answers: list[tuple[int, bytes]]) -> None:
    count = 0

    def handler(_: httpx.Request) -> httpx.Response:
        nonlocal count
        status, body = answers[count % len(answers)]
        count += 1
        return httpx.Response(status, content=body)

    found = over(handler)
    assert set(states(found)) == set(ALL)
    assert all(one.detail and one.state in ("up", "loading", "locked", "down") for one in found.found)
    check_overlay(found, tmp_path)
