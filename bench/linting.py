"""`aldo lint` with every rule, as a whole process, against the peers on the same file."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.catalogs import as_yaml
from bench.measure import Row

BIN = Path(sys.executable).parent
SCHEMA = Path(__file__).parents[1] / "aldo/schema/published/catalog.schema.json"


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as directory:
        ours: dict[int, float] = {}
        for number in (1_000, 10_000):
            file = Path(directory) / f"models-{number}.yaml"
            file.write_text(as_yaml(number), "utf-8")
            lint = [sys.executable, "-m", "aldo.cli.main", "lint", "--today", "2026-11-22", str(file)]
            json_schema = [str(BIN / "check-jsonschema"), "--schemafile", str(SCHEMA), str(file)]
            ours[number], theirs = _best(lint), _best(json_schema, runs=1 if number > 1_000 else 3)
            target = "<= 1/10" if number == 1_000 else "<= 1/15"
            yield Row(f"aldo lint, {number} entries, all rules", ours[number], "check-jsonschema", theirs, target)
            if number == 1_000:
                yamllint = _best([str(BIN / "yamllint"), "-d", "relaxed", str(file)], runs=1)
                yield Row(f"aldo lint, {number} entries, all rules", ours[number], "yamllint", yamllint)
        yield Row("aldo lint, 10000 entries", ours[10_000], "1000 entries", ours[1_000], "<= 13 x (n log n)")
        lint = [sys.executable, "-m", "aldo.cli.main", "lint", str(file)]
        yield Row("the same, peak memory", _peak_megabytes(lint), "the bound", 250.0, "<= 1 x", unit="MB")


def _best(command: Sequence[str], runs: int = 3) -> float:
    """Wall seconds of the quickest of some runs; findings are no failure."""
    best = float("inf")
    for _ in range(runs):
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        best = min(best, time.perf_counter() - started)
        assert done.returncode in (0, 1), done.stderr
    return best


_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], capture_output=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _peak_megabytes(command: Sequence[str]) -> float:
    done = subprocess.run([sys.executable, "-c", _PEAK, *command], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return int(done.stdout) * unit / 1e6
