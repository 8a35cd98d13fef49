"""`aldo chat` against a real mlx_lm.server, and its failures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cases import ROOT
from tests.support.cli import aldo
from tests.support.mlx_server import MlxServer

ARGUMENTS = ("chat", "--class", "local-reasoning", "--privacy", "sensitive", "--max-tokens", "12")


def test_chat_streams_the_answer_to_stdout(mlx: MlxServer) -> None:
    done = aldo(*ARGUMENTS, "hello", cwd=ROOT, MLX_BASE_URL=mlx.base_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.strip()) >= 10


def test_chat_json_holds_answer_usage_and_decision(mlx: MlxServer) -> None:
    answers = [
        aldo(*ARGUMENTS, "--seed", "5", "--json", "hello", cwd=ROOT, MLX_BASE_URL=mlx.base_url) for _ in range(2)
    ]
    result, again = (json.loads(done.stdout) for done in answers)
    assert result["text"] == again["text"]
    assert list(result) == [
        "text", "reasoning", "toolCalls", "refusal", "finishReason", "usage", "model", "provider", "upstreamModel",
        "returnedModel", "usd", "latencyMs", "ttftMs", "ignored", "attempts", "decision",
    ]  # fmt: skip
    assert result["finishReason"] == "length"
    assert result["usage"]["tokensOut"] == 12
    assert (result["provider"], result["upstreamModel"], result["usd"]) == ("mlx", "default_model", "0")
    assert result["decision"]["model"] == result["model"] == "mlx-qwen2.5-7b-instruct-4bit"


def test_the_prompt_may_come_from_standard_input_and_the_class_from_an_agent(mlx: MlxServer) -> None:
    agent = str(ROOT / "agency/agents/code-reviewer.yaml")
    done = aldo(
        "chat", "--agent", agent, "--max-tokens", "8", stdin="def f(): pass", cwd=ROOT, MLX_BASE_URL=mlx.base_url
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(
    ("base_url", "code"),
    [("http://127.0.0.1:9", "connection"), ("http://192.0.2.1:8081", "egress_refused"), ("not a url", "usage")],
)
def test_a_failure_is_one_json_object_and_an_exit_code(base_url: str, code: str) -> None:
    done = aldo(*ARGUMENTS, "--json", "hello", cwd=ROOT, MLX_BASE_URL=base_url)
    assert json.loads(done.stdout)["error"]["code"] == code
    assert done.returncode == (2 if code == "usage" else 3)
    human = aldo(*ARGUMENTS, "hello", cwd=ROOT, MLX_BASE_URL=base_url)
    assert human.returncode == done.returncode
    assert human.stderr.startswith("error: ")


def test_a_refusal_ends_with_1_before_any_connection() -> None:
    done = aldo(*ARGUMENTS, "--requires", "vision", "--json", "hello", cwd=ROOT, MLX_BASE_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "no_eligible_model"


def test_an_empty_prompt_is_bad_usage(tmp_path: Path) -> None:
    assert aldo(*ARGUMENTS, stdin="  \n", cwd=ROOT).returncode == 2
