"""The README with its figures in place: from docs/evidence/bench.json, the record of `make bench`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from publish.markdown import table

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT / "docs" / "evidence" / "bench.json"
_MARKED = re.compile(r"(<!-- figures: `make docs` -->\n).*?(<!-- end -->)", re.DOTALL)


class Wanted(NamedTuple):
    """A row of the record, and how it is told: the room, the beginnings of its work and of its peer's name."""

    room: str
    work: str
    peer: str
    told: str


WANTED = (
    Wanted("routing", "route(), 1000 entries", "LiteLLM, simple", "a decision among 1 000 models"),
    Wanted("routing", "route(), 1000 entries", "LiteLLM, cost", "a decision among 1 000 models"),
    Wanted("routing", "route(), 1000 entries", "endorouter", "a decision among 1 000 models"),
    Wanted("peers", "import aldo; aldo.route", "import litellm", "import, ready to route"),
    Wanted("linting", "aldo lint, 1000 entries", "check-jsonschema", "lint of 1 000 entries"),
    Wanted("linting", "aldo lint, 10000 entries", "check-jsonschema", "lint of 10 000 entries"),
    Wanted("linting", "aldo lint, 1000 entries", "yamllint", "lint of 1 000 entries"),
    Wanted("streaming", "chat stream", "openai SDK", "a chat stream of 20 000 chunks, to events"),
    Wanted("streaming", "a plain chat", "httpx", "a plain chat, whole"),
    Wanted("evaluating", "eval of 500", "inspect_ai", "an evaluation of 500 cases"),
    *(
        Wanted("gateway", f"gateway: {work}", peer, told)
        for work, told in (
            ("added to a plain chat, p50", "what the gateway adds to a plain chat"),
            ("a plain chat, 16 at once, each", "a plain chat through it, 16 at once, each"),
            ("added to a streamed chat, p50", "what it adds to a streamed chat"),
        )
        for peer in ("Portkey", "LiteLLM")
    ),
)


def readme_with_figures() -> str:
    """README.md with the table between its marks made anew."""
    said = (ROOT / "README.md").read_text("utf-8")
    return _MARKED.sub(lambda found: f"{found[1]}{figures_table()}\n{found[2]}", said)


def figures_table() -> str:
    """What the README tells of the record."""
    if not BENCH.exists():
        return "No figures are recorded: `make bench` makes them."
    rooms = json.loads(BENCH.read_text("utf-8"))["rooms"]
    rows = [row for wanted in WANTED for row in _rows(wanted, rooms)]
    machine = next(iter(rooms.values()))["machine"]
    dates = sorted({room["date"] for room in rooms.values()})
    told = f"Medians or best of several runs, side by side on one machine ({machine}), {dates[-1]}. Ratios travel, figures do not."
    return f"{table(('work', 'aldo', 'beside', '', 'ratio'), rows)}\n\n{told}"


def _rows(wanted: Wanted, rooms: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for row in rooms.get(wanted.room, {"rows": ()})["rows"]:
        if row["work"].startswith(wanted.work) and row["baseline_name"].startswith(wanted.peer):
            told = wanted.told or row["work"]
            yield (
                told,
                amount(row["ours"], row["unit"]),
                row["baseline_name"],
                amount(row["baseline"], row["unit"]),
                ratio(row),
            )
            if wanted.told:
                return


def amount(number: float, unit: str) -> str:
    """In a unit that fits."""
    if unit != "s":
        return f"{number:.0f} {unit}"
    for name, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if number >= scale:
            return f"{number / scale:.3g} {name}"
    return f"{number / 1e-9:.3g} ns"


def ratio(row: Mapping[str, Any]) -> str:
    """How many times less, or more, of it is taken."""
    found = row["ratio"]
    times, word = (1 / found, "less") if found <= 1 else (found, "more")
    return f"{times:,.0f} x {word}" if times >= 100 else f"{times:.3g} x {word}"
