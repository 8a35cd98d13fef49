"""The reference of JSON outputs: what each command prints, by running it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from publish.markdown import NOTICE, fenced

ROOT = Path(__file__).resolve().parents[1]
_HEAD = f"""\
{NOTICE}# JSON outputs, printed

What commands print with `--json`, by running them on the shipped catalog. Long lists are cut after their first two, and
digests after eight characters; [JSON outputs](json.md) says what each field means and what is promised.
"""
COMMANDS = (
    "aldo lint --json examples/tutorial/broken.yaml",
    "aldo route --class fast-draft --privacy sensitive --json",
    "aldo route --class fast-draft --privacy sensitive --requires vision,reasoning --json",
    "aldo route --class reasoning-large --privacy sensitive --why-not openai-gpt-6.1-sol --json",
    "aldo prove policy.yaml --json",
    "aldo diff models.yaml models.yaml --head-overlay examples/company.yaml --json",
    "aldo test routes.test.yaml --json",
    "aldo models list --class embeddings --json",
    "aldo catalog explain openai-gpt-6-luna.cost.usdPerMtokIn --overlay examples/company.yaml --json",
    "aldo catalog diff models.yaml models.yaml --head-overlay examples/company.yaml --json",
    "aldo catalog set openai-gpt-6-luna latencyP95Ms=900 --in examples/mine.yaml --dry-run --json",
    "aldo chat --class nope --privacy sensitive --json hello",
)
_MOST = 2


def outputs_page() -> str:
    """The whole page as Markdown."""
    return "\n".join([_HEAD, *(_section(command) for command in COMMANDS)])


def _section(command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALDO_")}
    done = subprocess.run(
        [sys.executable, "-m", "aldo", *command.split()[1:]],
        cwd=ROOT, env={**environment, "ALDO_TODAY": "2026-11-22"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    shown = json.dumps(_cut(json.loads(done.stdout)), indent=2, ensure_ascii=False)
    return f"## `{command}`\n\nExit code {done.returncode}.\n\n{fenced(shown, 'json')}\n"


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cut(inner) for name, inner in value.items()}
    if isinstance(value, list):
        more = [f"... {len(value) - _MOST} more"] if len(value) > _MOST else []
        return [*map(_cut, value[:_MOST]), *more]
    if isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef"):
        return f"{value[:8]}..."
    return value
