"""The documented workflow for pull requests: each of its own steps, run in a repository with a changed catalog."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cases import MODELS, ROOT


def _steps() -> list[dict[str, Any]]:
    text = (ROOT / "docs" / "how-to" / "ci.md").read_text("utf-8")
    (block,) = re.findall(r"^```yaml routing\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (job,) = yaml.safe_load(block)["jobs"].values()
    return [step for step in job["steps"] if "run" in step and not step["run"].startswith(("pip ", "gh "))]


def _run(command: str, directory: Path) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_BASE_REF": "main",
        **{f"GIT_{who}_{what}": "tester@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = ["bash", "-e", "-o", "pipefail", "-c", command]
    return subprocess.run(done, cwd=directory, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("edit", "code"), [(("", ""), 0), (("usdPerMtokIn: 2,", "usdPerMtokIn: 3,"), 1)])
def test_the_workflow_fails_where_a_price_rises_by_more_than_it_allows(
    edit: tuple[str, str], code: int, tmp_path: Path
) -> None:
    for name in ("policy.yaml", "routes.test.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    (tmp_path / "models.yaml").write_text(MODELS.read_text("utf-8"), "utf-8")
    git = "git init -q . && git add . && git commit -qm base && git update-ref refs/remotes/origin/main HEAD"
    assert _run(git, tmp_path).returncode == 0
    (tmp_path / "models.yaml").write_text(MODELS.read_text("utf-8").replace(*edit), "utf-8")
    codes = {step["run"].split()[1]: _run(step["run"], tmp_path).returncode for step in _steps()}
    assert codes == {"diff": code, "prove": 0, "test": 0}
    comment = (tmp_path / "routing.md").read_text("utf-8")
    assert ("Fails on dearer" in comment) == bool(code)
