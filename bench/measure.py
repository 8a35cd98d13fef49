"""How a figure is taken: best of several rounds for code in this process, median for whole processes."""

from __future__ import annotations

import gc
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the report, in seconds unless it says otherwise; the ratio is ours / baseline."""

    work: str
    ours: float
    baseline_name: str
    baseline: float
    target: str = ""
    unit: str = "s"

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline


def per_call(call: Callable[[], object], *, rounds: int = 7, seconds: float = 0.05) -> float:
    """Seconds per call: the best of `rounds`, each repeated for about `seconds`."""
    started = time.perf_counter()
    call()
    once = max(time.perf_counter() - started, 1e-9)
    number = max(1, int(seconds / once))
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        started = time.perf_counter()
        for _ in range(number):
            call()
        best = min(best, (time.perf_counter() - started) / number)
    return best


def paired_processes(ours: Sequence[str], theirs: Sequence[str], runs: int = 9) -> tuple[float, float]:
    """Median wall seconds of two commands, run in turn so that both meet the same weather."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs + 1):
        for command, kept in zip((ours, theirs), times, strict=True):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            kept.append(time.perf_counter() - started)
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])
