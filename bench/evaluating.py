"""A suite of 500 short cases put to one model, as a whole process, against inspect_ai on the same server.

The server is a thread of this process that answers at once, so what is timed is the harness.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path

from bench.measure import Row
from bench.streaming import _Handler

CASES = 500
_ROUNDS = 3

_AGENT = """\
version: 1
schema: aldo-ai/agent.v1
identity: { name: bench }
privacy_tier: sensitive
model_policy: { capability_class: local-reasoning }
"""
_SUITE = """\
version: 1
schema: aldo-ai/eval.v1
suite:
  name: bench
  cases_dataset: cases.jsonl
  max_tokens: 64
  evaluators: [{ name: says-it, type: contains }]
"""
_TASK = """\
from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

@task
def suite():
    return Task(dataset=json_dataset("inspect.jsonl"), solver=generate(), scorer=includes())
"""


def _frame(value: Mapping[str, object]) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", **value}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _answer() -> bytes:
    def choice(delta: Mapping[str, str], finish: str | None) -> dict[str, object]:
        return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    pieces = [choice({"content": "Hello"}, None), choice({"content": " there"}, None), choice({}, "stop")]
    return b"".join(map(_frame, [*pieces, {"choices": [], "usage": usage}])) + b"data: [DONE]\n\n"


def _write(folder: Path) -> None:
    cases = [{"id": f"c{number}", "input": f"Say hello {number}"} for number in range(CASES)]
    for name, truth in (("cases.jsonl", "ground_truth"), ("inspect.jsonl", "target")):
        (folder / name).write_text("".join(json.dumps({**case, truth: "Hello"}) + "\n" for case in cases), "utf-8")
    (folder / "agent.yaml").write_text(_AGENT, "utf-8")
    (folder / "suite.yaml").write_text(_SUITE, "utf-8")
    (folder / "task.py").write_text(_TASK, "utf-8")


def _seconds(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> float | str:
    """The best of a few runs, or why there is none."""
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        times.append(time.perf_counter() - started)
        if done.returncode:
            return ((done.stderr + done.stdout).strip().splitlines() or ["it failed"])[-1]
    return min(times)


def rows() -> Iterator[Row | str]:
    class Handler(_Handler):
        body = _answer()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    catalog = Path(__file__).parents[1] / "models.yaml"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder)
        ours = _seconds(
            [sys.executable, "-m", "aldo.cli.main", "eval", "run", "agent.yaml", "--suite", "suite.yaml"],
            folder,
            {"MLX_BASE_URL": url, "ALDO_CATALOG": str(catalog)},
        )
        python = os.environ.get("ALDO_INSPECT_PYTHON", sys.executable)
        inspect = [python, "-m", "inspect_ai", "eval", "task.py", "--model", "openai/m", "--max-tokens", "64"]
        theirs = _seconds(
            [*inspect, "--max-connections", "1", "--display", "none", "--log-dir", "logs"],
            folder,
            {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": f"{url}/v1"},
        )
    server.shutdown()
    if isinstance(ours, str) or isinstance(theirs, str):
        yield f"the evaluation is left out: {ours if isinstance(ours, str) else theirs}"
    else:
        yield Row(f"eval of {CASES} cases, whole process", ours, "inspect_ai", theirs, "<= 1 x")
