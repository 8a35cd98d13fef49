"""The real servers of the live tests start, answer, and leave no process."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.support.llamacpp_server import LlamaCppServer, smollm2
from tests.support.server_process import ServerProcess, group_lives
from tests.support.vllm_server import VllmServer, vllm_installed


def asked(server: ServerProcess) -> tuple[dict, dict]:
    """The server's first model, and its answer to a chat."""
    ask = {"messages": [{"role": "user", "content": "What is the capital of France?"}], "max_tokens": 4}
    with httpx.Client(base_url=server.base_url, timeout=60, trust_env=False) as client:
        (model,) = client.get("/v1/models").raise_for_status().json()["data"]
        answer = client.post("/v1/chat/completions", json={"model": model["id"], **ask})
    return model, answer.raise_for_status().json()


def assert_served(server: ServerProcess, answer: dict) -> None:
    assert answer["choices"][0]["message"]["content"]
    assert answer["usage"]["completion_tokens"] == 4
    assert server.pid is not None
    assert not server.running
    assert not group_lives(server.pid)


def test_llama_cpp_serves() -> None:
    with LlamaCppServer(smollm2(), context=512) as server:
        model, answer = asked(server)
    assert model["meta"]["n_ctx"] == 512
    assert_served(server, answer)


@pytest.mark.heavy
@pytest.mark.skipif(not vllm_installed(), reason="vLLM is not installed; make test-all sets it up")
def test_vllm_serves(tiny_model: Path) -> None:
    with VllmServer(tiny_model) as server:
        model, answer = asked(server)
    assert (model["id"], model["max_model_len"]) == ("tiny", 512)
    assert_served(server, answer)
