"""Other routers over the same catalog, each in an interpreter of its own, so that its imports do not disturb ours.

They know neither tiers nor tags as routing does here: they are asked for the capability class of the catalog's
first entry, public, which is the request that `bench.routing` repeats, and choose among the same entries. A peer
that is not installed, fails or cannot follow is left out, and a line says why.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.catalogs import entries
from bench.measure import Row, per_call

ROOT = Path(__file__).parents[1]
NAMES = ("litellm", "endorouter")
PATIENCE = 60.0
"""Seconds that a peer may take to build its router."""


@dataclass(frozen=True)
class Figure:
    """Seconds per decision of a peer."""

    name: str
    entries: int
    seconds: float


def rows() -> Iterator[Row | str]:
    """Import times: the whole process, medians of runs in turn."""
    ours = ("import aldo", "import aldo; aldo.route")
    theirs = []
    for name in NAMES:
        done = _python("-c", f"import {name}")  # which also warms the disk
        if done.returncode:
            yield f"import {name} is left out: {_reason(done)}"
        else:
            theirs.append(f"import {name}")
    times: dict[str, list[float]] = {code: [] for code in (*ours, *theirs)}
    for _ in range(3):
        for code, kept in times.items():
            started = time.perf_counter()
            _python("-c", code)
            kept.append(time.perf_counter() - started)
    for peer in theirs:
        for code in ours:
            yield Row(code, statistics.median(times[code]), peer, statistics.median(times[peer]))


def decisions(sizes: Sequence[int]) -> Iterator[Figure | str]:
    """Figures of every peer at every size, and lines about what is missing."""
    for name in NAMES:
        try:
            done = _python("-m", "bench.peers", name, *map(str, sizes))
        except subprocess.TimeoutExpired:
            yield f"{name} is left out: it took more than ten minutes"
            continue
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                said = json.loads(line)
                yield said["note"] if "note" in said else Figure(**said)
        if done.returncode:
            yield f"{name} is left out from here on: {_reason(done)}"


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # no price list from the network on import
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]


def litellm(sizes: Sequence[int]) -> Iterator[Figure | str]:
    """The Router, its groups named by capability class; the quicker of its two doors where both work."""
    from litellm import Router

    for logger in ("LiteLLM", "LiteLLM Router"):
        logging.getLogger(logger).setLevel(logging.ERROR)  # a line per deployment would count as building
    built = (0, 0.0)
    for number in sizes:
        least = built[1] / max(built[0], 1) * number
        if least > PATIENCE:
            yield (
                f"LiteLLM cannot follow to {number} entries: building the Router for {built[0]} took "
                f"{built[1]:.1f} s, so it would take {least:.0f} s or more"
            )
            continue
        deployments = [_deployment(entry) for entry in entries(number)]
        asked = {"model": deployments[0]["model_name"], "messages": [{"role": "user", "content": "hello"}]}
        started = time.perf_counter()
        shuffle = Router(model_list=deployments, routing_strategy="simple-shuffle")
        built = (number, time.perf_counter() - started)
        seconds = per_call(lambda router=shuffle, asked=asked: router.get_available_deployment(**asked))
        yield Figure("LiteLLM, simple-shuffle", number, seconds)
        cheapest = Router(model_list=deployments, routing_strategy="cost-based-routing")
        yield Figure("LiteLLM, cost-based", number, _awaited(cheapest, asked))


def _deployment(entry: dict[str, Any]) -> dict[str, Any]:
    cost = entry["cost"]
    params = {
        "model": f"openai/{entry['id']}",
        "api_key": "none",
        "api_base": entry["providerConfig"]["baseUrl"],
        "input_cost_per_token": cost["usdPerMtokIn"] / 1e6,
        "output_cost_per_token": cost["usdPerMtokOut"] / 1e6,
    }
    return {"model_name": entry["capabilityClass"], "litellm_params": params}


def _awaited(router: Any, asked: dict[str, Any], number: int = 50) -> float:
    """Cost-based routing is asynchronous only; many decisions in one run of the loop share its start."""

    async def many() -> None:
        for _ in range(number):
            await router.async_get_available_deployment(**asked, request_kwargs={})

    with asyncio.Runner() as runner:
        return per_call(lambda: runner.run(many())) / number


def endorouter(sizes: Sequence[int]) -> Iterator[Figure | str]:
    """`decide` for a request declared public that needs the class as a capability."""
    from endorouter import Config, Label, Target, decide

    built = (0, 0.0)
    for number in sizes:
        targets = tuple(_target(Target, entry) for entry in entries(number))
        pairs = (number / max(built[0], 1)) ** 2
        if built[1] * pairs > PATIENCE:
            yield (
                f"endorouter at {number} entries without its check of names, which compares every pair: "
                f"it took {built[1]:.2g} s for {built[0]} and would take {built[1] * pairs:.0f} s"
            )
            config = Config(next((target,) for target in targets if target.is_local))
            object.__setattr__(config, "targets", targets)
        else:
            started = time.perf_counter()
            config = Config(targets)
            built = (number, time.perf_counter() - started)
        asked = {"declared": Label.PUBLIC, "capability": targets[0].capabilities[0]}
        yield Figure("endorouter", number, per_call(lambda config=config, asked=asked: decide(config, **asked)))


def _target(make: Any, entry: dict[str, Any]) -> Any:
    location = "local" if entry["locality"] == "local" else "cloud"
    url = entry["providerConfig"]["baseUrl"]
    return make(entry["id"], url, entry["id"], location, (entry["capabilityClass"],))


def _main(name: str, sizes: Sequence[int]) -> None:
    """One peer in this process: figures and notes as lines of JSON."""
    said: Iterator[Figure | str] = {"litellm": litellm, "endorouter": endorouter}[name](sizes)
    print(json.dumps({"note": f"{name} {version(name)}"}), flush=True)
    for figure in said:
        print(json.dumps({"note": figure} if isinstance(figure, str) else asdict(figure)), flush=True)


if __name__ == "__main__":
    _main(sys.argv[1], [int(size) for size in sys.argv[2:]])
