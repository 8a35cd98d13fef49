"""Mutation testing: what share of small wrong changes of a room its own tests notice.

`python -m bench.mutation` copies the tree, lets mutmut change one place of a room after the other and run the tests
that reach it, and writes docs/evidence/mutation.json. Which mutants are tried is drawn by a seed. The tests run with
few examples of each property (`tests.support.few_examples`), so `make test` notices rather more than this tells.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from math import sqrt
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "docs/evidence/mutation.json"
ROOMS = ("router", "validate")
CONFIG = """
[tool.mutmut]
source_paths = ["aldo"]
only_mutate = ["aldo/{room}/*"]
also_copy = ["models.yaml", "policy.yaml", "routes.test.yaml", "docs", "examples", "suites", "agency", "README.md"]
pytest_add_cli_args_test_selection = ["tests/{room}"]
pytest_add_cli_args = ["-ptests.support.few_examples", "-pno:cacheprovider", "-pno:unraisableexception", "-k{tests}"]
process_isolation = "forkserver"  # no worker inherits what the tests of another left in caches
timeout_multiplier = 15.0
timeout_constant = 10.0
use_setproctitle = false
track_dependencies = false
"""
# They take seconds each, because what they ask is how much work something large or hostile makes.
SLOW = ("depth_and_size", "hostile", "takes_too_long", "same_bound", "four_times", "of_the_bulk")
# How pytest ends (and mutmut, from 33 on). 2: a test file could not even be read with this mutant.
KILLED, TIMEOUT, UNTESTED = {1, 2, 3}, {-24, 24, 36, 152}, {5, 33}
Z = 1.959964  # of 95 %


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(ROOMS)}; all where none is named")
    parser.add_argument("--sample", type=int, default=600, help="mutants of each room; 0 for all")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--children", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path, help="a directory for the copies, which are read again where they exist")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.rooms) - set(ROOMS):
        parser.error(f"no such room: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as temporary:
        for room in asked.rooms or ROOMS:
            copy = (asked.keep or Path(temporary)) / room
            _run(copy, room, asked.sample, asked.seed, asked.children)
            _write(copy, room)


def _run(copy: Path, room: str, sample: int, seed: int, children: int) -> None:
    """mutmut over a room in a copy of the tree. It ends with 0 whatever survives."""
    if not copy.exists():
        _copied(copy)
        with (copy / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(CONFIG.format(room=room, tests=" and ".join(f"not {name}" for name in SLOW)))
    names = sorted(_mutants(copy, room))
    drawn = random.Random(seed).sample(names, sample) if 0 < sample < len(names) else []
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children), *drawn]
    subprocess.run(command, cwd=copy, env={**os.environ, "PYTHONHASHSEED": "0"}, check=True)


def _copied(copy: Path) -> None:
    """What git knows and what is new, as it is on the disk."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)


def _mutants(copy: Path, room: str) -> Iterator[str]:
    """The names of all mutants of a room, in the words of mutmut, which wants its settings below the directory."""
    list_them = (
        "import sys; from pathlib import Path; from mutmut.mutation.file_mutation import mutate_file_contents as made\n"
        "from mutmut.utils.format_utils import get_mutant_name as named\n"
        "for path in sorted(Path('aldo', sys.argv[1]).rglob('*.py')):\n"
        "    for name in made(str(path), path.read_text('utf-8')).mutant_names: print(named(path, name))"
    )
    command = [sys.executable, "-c", list_them, room]
    yield from subprocess.run(command, cwd=copy, capture_output=True, text=True, check=True).stdout.split()


def _write(copy: Path, room: str) -> None:
    """The record, with this room anew; what people wrote about survivors stays."""
    record: dict[str, Any] = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    codes = {
        meta.relative_to(copy / "mutants").as_posix().removesuffix(".meta"): json.loads(meta.read_text("utf-8"))[
            "exit_code_by_key"
        ]
        for meta in sorted((copy / "mutants/aldo" / room).rglob("*.meta"))
    }
    modules = {path: _counts(list(of.values())) for path, of in codes.items() if of}
    rooms = record.get("rooms", {})
    rooms[f"aldo/{room}"] = _room([code for of in codes.values() for code in of.values()])
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    others = {path: at for path, at in record.get("modules", {}).items() if not path.startswith(f"aldo/{room}/")}
    record.pop("note", None)  # of another run
    record |= {
        "tool": f"mutmut {version('mutmut')}",
        "date": os.environ.get("ALDO_TODAY") or datetime.now(UTC).date().isoformat(),
        "commit": git.stdout.strip(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "rooms": rooms,
        "survivors": record.get("survivors", {"equivalent": None, "looked_at": 0}),
        "modules": dict(sorted({**others, **modules}.items())),
    }
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps(record, indent=2) + "\n", "utf-8")


def _room(codes: list[int | None]) -> dict[str, Any]:
    counts = _counts(codes)
    noticed, tried = counts["killed"] + counts["timeout"], counts["mutants"]
    sampled = tried < len(codes)
    low, high = wilson(noticed, tried)
    return counts | {
        "sampled_of": len(codes) if sampled else None,
        "score": round(noticed / tried, 4) if tried else None,
        "wilson95": [round(low, 4), round(high, 4)] if sampled and tried else None,
    }


def _counts(codes: list[int | None]) -> dict[str, int]:
    """Those that were tried, by what came of them. What ended in no way that is known counts as survived."""
    tried = Counter(
        "killed" if code in KILLED else "timeout" if code in TIMEOUT else "untested" if code in UNTESTED else "survived"
        for code in codes
        if code is not None
    )
    kinds = ("killed", "timeout", "survived", "untested")
    return {"mutants": tried.total(), **{kind: tried[kind] for kind in kinds}}


def wilson(noticed: int, tried: int) -> tuple[float, float]:
    """The 95 % interval of a share of which a sample was seen."""
    if not tried:
        return 0.0, 1.0
    share, spread = noticed / tried, Z * Z / tried
    middle = share + spread / 2
    reach = Z * sqrt(share * (1 - share) / tried + spread / tried / 4)
    return (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)


if __name__ == "__main__":
    main()
