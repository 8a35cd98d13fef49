"""The command of the project's first page, as it is written there, on two tiers of one model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cases import ROOT
from tests.support.cli import aldo

COMMAND = (
    "eval", "run", "agency/agents/code-reviewer.yaml",
    "--model", "mlx-qwen2.5-7b-instruct-4bit",
    "--model", "mlx-qwen2.5-7b-instruct-bf16",
    "--suite", "suites/code-review.yaml",
)  # fmt: skip


@pytest.mark.heavy
def test_the_command_runs_as_written(mlx_tiers: Path, tmp_path: Path) -> None:
    for name in ("agency", "models.yaml", "suites"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = aldo(*COMMAND, cwd=tmp_path, timeout=600, ALDO_OVERLAYS=str(mlx_tiers))
    assert done.returncode == 1, done.stderr  # a random model never ends: all is cut, and the gates stay open
    (log,) = (tmp_path / "eval-logs").iterdir()
    samples = [record for record in map(json.loads, log.read_text("utf-8").splitlines()) if record["kind"] == "sample"]
    rows = [row for sample in samples for row in sample["usage"]]
    assert len(samples) == len(rows) == 96
    assert {(row["provider"], row["model"]) for row in rows} == {("mlx", COMMAND[4]), ("mlx", COMMAND[6])}
    assert {sample["state"] for sample in samples} == {"truncated"}
    assert done.stdout.count("0/48") == 6
