"""Claims of entries whose servers are Ollama, LM Studio, mlx_lm and llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aldo.catalog import load_catalog
from aldo.transport.audit import audit
from tests.support.fake_runtimes import (
    FakeLmStudio,
    FakeOllama,
    LmStudioModel,
    LmStudioQuirks,
    OllamaModel,
)
from tests.support.llamacpp_server import LlamaCppServer, smollm2
from tests.support.mlx_server import MlxServer
from tests.transport.audit.auditing import (
    PATIENT,
    RESERVE,
    audited,
    catalog_of,
    check_correction,
    evidence,
    model,
    severities,
    verdicts,
    written,
)

OLLAMA = [
    OllamaModel("able", capabilities=("completion", "tools", "thinking")),
    OllamaModel("bare", capabilities=("completion",)),
    OllamaModel("vectors", "nomic-bert", context=2048, served=2048, embedding=768, capabilities=("embedding",)),
]
OLLAMA_CLAIMS = [
    ("able", ("tool-use", "function-calling", "reasoning", "extended-thinking", "streaming"), ()),
    ("able", ("structured-output", "json-mode", "constrained-decoding", "parallel-tool-calls"), ()),
    ("able", ("embeddings", "vision"), ("embeddings", "vision")),
    ("bare", ("tool-use", "function-calling", "parallel-tool-calls"), ("tool-use", "function-calling", "parallel-tool-calls")),
    ("bare", ("reasoning", "extended-thinking", "streaming"), ("reasoning", "extended-thinking")),
    ("vectors", ("embeddings",), ()),
    ("vectors", ("embeddings", "streaming", "tool-use"), ("streaming", "tool-use")),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "tags", "refuted"), OLLAMA_CLAIMS)
def test_ollamas_models_are_what_they_are(wire: str, tags: tuple[str, ...], refuted: tuple[str, ...]) -> None:
    kind = "embeddings" if wire == "vectors" else "local-reasoning"
    with FakeOllama(OLLAMA) as ollama:
        found = audited(
            model(
                ollama.base_url, *tags, provider="ollama", wire=wire, capabilityClass=kind, effectiveContextTokens=2048
            )
        )
    assert found.refuted == refuted, found.claims
    assert {tag for tag in tags if verdicts(found)[tag] == "confirmed"} == set(tags) - set(refuted)
    assert verdicts(found)["context"] == "confirmed"


def test_lm_studio_refuses_json_mode_and_takes_a_schema() -> None:
    with FakeLmStudio([LmStudioModel("m", loaded=False, loaded_context=4096)]) as studio:
        found = audited(
            model(studio.base_url, "json-mode", "structured-output", "tool-use", "streaming", provider="lmstudio")
        )
        assert studio.loaded == {"m"}
    assert verdicts(found) == {
        "context": "refuted",  # stated only once the first request has loaded it
        "json-mode": "refuted",
        "structured-output": "confirmed",
        "tool-use": "confirmed",
        "streaming": "confirmed",
    }
    assert "json_schema" in evidence(found, "json-mode"), "in the server's own words"
    assert found.served_context == 4096


def test_calls_that_lm_studio_cannot_read_are_none() -> None:
    quirks = LmStudioQuirks(unparsable_calls=True)
    with FakeLmStudio([LmStudioModel("m")], quirks=quirks) as studio:
        found = audited(model(studio.base_url, "tool-use", "parallel-tool-calls", provider="lmstudio"))
    assert found.refuted == ("tool-use", "parallel-tool-calls")


def test_a_real_mlx_server_streams_and_has_no_schemas_and_no_embeddings(mlx: MlxServer, tmp_path: Path) -> None:
    tags = ("streaming", "structured-output", "json-mode", "embeddings", "rerank")
    it = model(mlx.base_url, *tags, provider="mlx", wire="")
    found = audited(it)
    assert verdicts(found) == {
        "context": "unclear",
        "streaming": "confirmed",
        **dict.fromkeys(tags[1:], "refuted"),
    }
    assert found.correction() is not None
    overlay = tmp_path / "corrections.yaml"
    catalog = catalog_of(it)
    overlay.write_text(audit(catalog, [catalog.by_id["it"]], environ={}, timeouts=PATIENT).overlay())
    base = written(tmp_path / "models.yaml", [it, RESERVE])
    assert any("AL207" in line for line in severities(base))
    assert severities(base, overlay) == []
    assert load_catalog(base, overlays=[overlay]).by_id["it"].provides == ("streaming",)


def test_a_real_mlx_server_serves_its_model_under_no_other_name(mlx: MlxServer) -> None:
    found = audited(model(mlx.base_url, "streaming", provider="mlx", wire="no-such-model"))
    assert found.unreachable
    assert found.correction() is None


@pytest.fixture(scope="module")
def llamacpp() -> Iterator[LlamaCppServer]:
    one_thread = {"cpuparams.n_threads": 1, "cpuparams_batch.n_threads": 1}  # more of them fight over a busy machine
    with LlamaCppServer(smollm2(), context=1024, extra=one_thread) as server:
        yield server


def test_a_real_llamacpp_server_holds_to_schemas_and_says_its_context(llamacpp: LlamaCppServer) -> None:
    it = model(llamacpp.base_url, "structured-output", "json-mode", provider="llamacpp", wire="any")
    found = audited(it | {"effectiveContextTokens": 1024})
    assert verdicts(found) == dict.fromkeys(("context", "structured-output", "json-mode"), "confirmed")
    assert found.correction() is None


def test_a_real_llamacpp_server_serves_what_it_was_launched_with(llamacpp: LlamaCppServer, tmp_path: Path) -> None:
    it = model(llamacpp.base_url, "streaming", "32k-context", "embeddings", provider="llamacpp", wire="any")
    result = check_correction(it, tmp_path)
    (found,) = result.checked
    assert verdicts(found) == {
        "context": "refuted",
        "streaming": "confirmed",
        "32k-context": "refuted",
        "embeddings": "refuted",
    }
    assert found.served_context == 1024
