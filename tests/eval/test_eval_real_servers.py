"""Evaluations of real models: two tiers on two mlx_lm.servers, and the small instruct model on llama.cpp."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.eval.playing import PATIENCE, Bench, entry, started
from tests.support.cases import ROOT
from tests.support.cli import aldo
from tests.support.llamacpp_server import LlamaCppServer, smollm2

AGENT = str(ROOT / "agency" / "agents" / "code-reviewer.yaml")
ONE_THREAD = {"cpuparams.n_threads": 1, "cpuparams_batch.n_threads": 1}  # more of them fight over a busy machine
SMALLER, LARGER = "mlx-qwen2.5-7b-instruct-4bit", "mlx-qwen2.5-7b-instruct-bf16"


@pytest.fixture(scope="module")
def llamacpp() -> Iterator[LlamaCppServer]:
    with LlamaCppServer(smollm2(), extra=ONE_THREAD) as server:
        yield server


@pytest.fixture
def small(llamacpp: LlamaCppServer, tmp_path: Path) -> list[str]:
    """The command for the small model and the suite smoke."""
    Bench(tmp_path).catalog(entry("smollm2", llamacpp.base_url, provider="llamacpp", effectiveContextTokens=2048))
    catalog, suite = tmp_path / "models.yaml", ROOT / "suites" / "smoke.yaml"
    return [
        "eval",
        "run",
        AGENT,
        "--model=smollm2",
        f"--catalog={catalog}",
        f"--suite={suite}",
        f"--log={tmp_path / 'log.jsonl'}",
    ]


def samples(log: Path) -> list[dict]:
    return [line for line in map(json.loads, log.read_text("utf-8").splitlines()) if line["kind"] == "sample"]


def test_two_tiers_on_two_mlx_servers_are_compared_all_the_way(mlx_tiers, tmp_path):
    cases = [f"Review change {number}." for number in range(4)]
    evaluators = [
        {"name": "long", "type": "regex", "ref": "(?s)^.{8}"},
        {"name": "no-x", "type": "not-contains", "ref": "x"},
    ]
    bench = Bench(tmp_path).suite(cases, evaluators, max_tokens=200, temperature=1.0, stop=["e", "q"])
    usage, page = tmp_path / "usage.jsonl", tmp_path / "report.html"
    command = [
        "eval",
        "run",
        AGENT,
        "--model",
        SMALLER,
        "--model",
        LARGER,
        f"--suite={bench.folder / 'suite.yaml'}",
        f"--catalog={ROOT / 'models.yaml'}",
    ]
    options = [f"--log={bench.log}", "--repeat=2", "--json", f"--output=html={page}"]
    done = aldo(*command, *options, cwd=tmp_path, timeout=300, ALDO_OVERLAYS=str(mlx_tiers), ALDO_USAGE_LOG=str(usage))
    assert done.returncode == 0, done.stderr + done.stdout
    rows = [json.loads(line) for line in usage.read_text().splitlines()]
    assert Counter((row["provider"], row["model"]) for row in rows) == {("mlx", SMALLER): 9, ("mlx", LARGER): 10}
    report = json.loads(done.stdout)
    assert report["baseline"] == SMALLER
    assert [(one["model"], one["quantization"], one["ok"]) for one in report["models"]] == [
        (SMALLER, "q4", 8),
        (LARGER, "bf16", 8),
    ]
    assert len({one["baseUrl"] for one in report["models"]}) == 2
    for model in report["models"]:
        assert (model["ttftMs"]["n"], model["ttftMs"]["p50"] > 0) == (8, True)
        assert model["tokensPerSecond"]["p50"] > 0
        assert model["tokensOut"] > 0
        assert model["usd"] == "0"
    for evaluator in report["evaluators"]:
        assert [sum(score["states"].values()) for score in evaluator["scores"]] == [8, 8]
        assert evaluator["comparisons"][0]["cases"] == 4
    for sample in samples(bench.log):
        assert not {"e", "q"} & set(sample["answer"])
    # Random samplers with one seed say one thing: the seeds arrived.
    assert len({sample["answer"] for sample in samples(bench.log)}) > 4
    assert page.read_text("utf-8").startswith("<!")
    assert json.loads(aldo("eval", "report", str(bench.log), "--json").stdout) == report


def test_the_small_model_killed_in_the_middle_goes_on_and_passes_the_smoke_suite(small, tmp_path):
    log, usage = tmp_path / "log.jsonl", tmp_path / "usage.jsonl"
    with started([*small, f"--usage={usage}"], tmp_path) as process:
        watch = threading.Event()
        while not log.exists() or log.read_bytes().count(b'{"kind": "sample"') < 5:
            assert process.poll() is None
            watch.wait(0.01)
        process.kill()
        process.communicate(timeout=PATIENCE)
    whole = log.read_bytes()
    kept = whole[: whole.rfind(b"\n") + 1]
    assert 5 <= kept.count(b'{"kind": "sample"') < 12
    done = aldo(*small, "--resume", "--json", f"--usage={usage}", timeout=300)
    assert done.returncode == 0, done.stderr + done.stdout
    assert log.read_bytes().startswith(kept)
    assert set(Counter(one["case"] for one in samples(log)).values()) == {1}
    assert len(samples(log)) == 12
    assert len(usage.read_text().splitlines()) <= 12 + 2 + 1  # two warm-ups, and what was in flight
    report = json.loads(done.stdout)
    gates = {one["name"]: one["scores"][0]["gate"] for one in report["evaluators"]}
    assert [gates[name] for name in ("says-it", "says-only-it", "on-one-line")] == ["met"] * 3
    assert set(gates.values()) <= {"met", None}
    (model,) = report["models"]
    assert (model["provider"], model["ok"] + model["truncated"], model["expected"], model["error"]) == (
        "llamacpp",
        12,
        12,
        0,
    )
    assert model["tokensPerSecond"]["p50"] > 0
