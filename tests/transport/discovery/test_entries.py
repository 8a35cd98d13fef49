"""One entry a model, with the context that its server states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.schema import Catalog
from aldo.transport.probes import discover
from tests.support.bound import entry
from tests.support.fake_runtimes import FakeLmStudio, FakeOllama, LmStudioModel, OllamaModel
from tests.support.llamacpp_server import LlamaCppServer
from tests.transport.discovery.discovering import PATIENT, check_overlay, check_tags, mlx_of, only, over, table, vllm_of
from tests.transport.discovery.families import NAMES


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
