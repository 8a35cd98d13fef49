"""Every law once more with other examples, for as long as one likes: `python -m tests.fuzz --minutes 30`.

Each round draws 500 new examples of every law of one file (profile `fuzz`, another seed), and goes on to the next. What fails is printed and kept in
docs/evidence/fuzz.json with its seed, beside the time that was spent; the times of several runs add up.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.cases import ROOT

RECORD = ROOT / "docs" / "evidence" / "fuzz.json"
_SLOW_ROOMS = ("api", "replay", "docs")
"""Their laws ask servers and engines: most of the time would go there."""


def laws() -> Iterator[tuple[Path, str]]:
    """The file and the name of every property test."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.FunctionDef)
                and node.name.startswith("test_")
                and any(_is_given(one) for one in node.decorator_list)
            ):
                yield path, node.name


def _is_given(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called).rpartition(".")[2] == "given"


def run(minutes: float) -> dict[str, Any]:
    """A round for each file in an order that is drawn, until the time is over; what was spent and what failed."""
    chosen: dict[Path, list[str]] = {}
    for path, name in laws():
        if path.relative_to(ROOT / "tests").parts[0] not in _SLOW_ROOMS:
            chosen.setdefault(path, []).append(name)
    waiting: list[Path] = []
    tried: set[str] = set()
    until, began = time.monotonic() + minutes * 60, time.monotonic()
    failures: list[dict[str, Any]] = []
    rounds = 0
    while time.monotonic() < until:
        if not waiting:
            waiting = random.SystemRandom().sample(sorted(chosen), len(chosen))
        path = waiting.pop()
        places = [f"{path.relative_to(ROOT)}::{name}" for name in chosen[path]]
        seed = random.SystemRandom().randrange(2**32)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "auto", f"--hypothesis-seed={seed}", *places],
            cwd=ROOT, env={**os.environ, "HYPOTHESIS_PROFILE": "fuzz"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        rounds += 1
        tried.update(places)
        for failed in re.findall(r"^FAILED (\S+)", done.stdout, re.MULTILINE):
            failures.append({"test": failed, "seed": seed})
            print(failed, f"seed {seed}", done.stdout[-3000:], flush=True)
    return {"laws": len(tried), "rounds": rounds, "hours": (time.monotonic() - began) / 3600, "failures": failures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    found = run(parser.parse_args().minutes)
    before = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {"rounds": 0, "hours": 0.0, "failures": []}
    kept = {
        "date": datetime.date.today().isoformat(),
        "laws": max(found["laws"], before.get("laws", 0)),
        "rounds": before["rounds"] + found["rounds"],
        "hours": round(before["hours"] + found["hours"], 2),
        "failures": [*before["failures"], *found["failures"]],
    }
    RECORD.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    print(json.dumps(kept))
    sys.exit(1 if found["failures"] else 0)


if __name__ == "__main__":
    main()
