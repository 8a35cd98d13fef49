"""What the name of a model stands for, and which id becomes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aldo.transport.probes.projection import normalised, projected
from tests.transport.discovery.discovering import check_overlay, only, over, vllm_of
from tests.transport.discovery.families import NAMES


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
