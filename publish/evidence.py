"""The page of evidence: what is tested and how, with figures from the records of runs and from the tests themselves."""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from publish.figures import BENCH, amount, ratio
from publish.markdown import NOTICE, table
from tests.fuzz import laws

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "docs" / "evidence"
_HEAD = f"""\
{NOTICE}# What is tested, and how

Every figure here comes from a record that a run left in `docs/evidence/`, or is counted from the tests: none is typed. Each section
names the command that makes it.
"""


def evidence_page() -> str:
    """The whole page as Markdown."""
    parts = (_tests, _laws, _mutation, _fuzz, _soak, _faults, _conformance, _speed, _sizes)
    return "\n".join([_HEAD, *("\n".join(part()) for part in parts)])


def _record(name: str) -> Any:
    place = EVIDENCE / f"{name}.json"
    return json.loads(place.read_text("utf-8")) if place.exists() else None


def _tests() -> Iterator[str]:
    if _record("tests") is None:
        return
    yield "## Tests\n"
    for name, command in (("tests", "make test"), ("heavy", "make test-all")):
        if run := _record(name):
            passed = run["tests"] - run["failures"] - run["skipped"]
            yield (
                f"`{command}` on {run['date']}, Python {run['python']}: {passed:,} passed, {run['failures']} failed, "
                f"{run['skipped']} skipped or expected to fail, {run['seconds'] // 60} min {run['seconds'] % 60} s.\n"
            )
    if run := _record("tests"):
        yield table(("room", "tests"), ((room, f"{count:,}") for room, count in run["rooms"].items())) + "\n"


def _laws() -> Iterator[str]:
    rooms: dict[str, list[str]] = defaultdict(list)
    for path, name in laws():
        parts = path.relative_to(ROOT / "tests").parts
        rooms[parts[0] if len(parts) > 1 else "whole"].append(
            name.removeprefix("test_").removeprefix("law_").replace("_", " ")
        )
    yield f"## Laws\n\n{sum(map(len, rooms.values()))} tests are laws: Hypothesis looks for an example that breaks them. Their names say them.\n"
    for room, names in sorted(rooms.items()):
        listed = "\n".join(f"- {name}" for name in sorted(names))
        yield f"<details><summary>{room}: {len(names)}</summary>\n\n{listed}\n\n</details>\n"


def _mutation() -> Iterator[str]:
    found = _record("mutation")
    if found is None:
        return
    yield (
        "## Mutation testing\n\n`make mutate` changes one place of the code after the other, and runs the tests that reach it. "
        "A mutant that no test notices survives.\n"
    )
    rows = []
    for room, counts in found["rooms"].items():
        tried = counts["mutants"]
        score = 100 * (counts["killed"] + counts["timeout"]) / tried
        of = f" of {counts['sampled_of']:,}" if counts.get("sampled_of") else ""
        interval = counts.get("wilson95")
        shown = f"{score:.1f} %" + (f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f} %)" if interval else "")
        rows.append((f"`{room}`", f"{tried:,}{of}", f"{counts['killed']:,}", f"{counts['timeout']}", f"{counts['survived']}",
                     f"{counts['untested']}", shown))  # fmt: skip
    yield table(("room", "mutants", "killed", "timed out", "survived", "reached by no test", "score"), rows) + "\n"
    yield f"{found['tool']}, {found['date']}, Python {found['python']}. Intervals are Wilson's, 95 %, where a sample was drawn. {found.get('note', '')}\n"


def _fuzz() -> Iterator[str]:
    if found := _record("fuzz"):
        yield "## Fuzzing\n\n`make fuzz` draws new examples of every law, for as long as one likes.\n"
        failed = f"{len(found['failures'])} failures" if found["failures"] else "no failure"
        yield (
            f"So far {found['hours']} hours, {found['rounds']} rounds over {found['laws']} laws, 500 examples each: {failed} "
            f"(last on {found['date']}).\n"
        )


def _soak() -> Iterator[str]:
    yield (
        "## Soak\n\n`make soak` sends streamed chats through a real gateway to servers that often fail; some clients leave. Every "
        "answer must be whole or end in a typed error.\n"
    )
    if found := _record("soak"):
        yield (
            f"{found['requests']:,} requests, {found['atOnce']} at a time, {found['seconds']} s, on {found['date']}: {found['broken']} neither "
            f"whole nor an error; open files {found['descriptors'][0]} before and {found['descriptors'][1]} after; memory "
            f"{found['megabytes'][0]} MB after the warm-up and {found['megabytes'][1]} MB at the end.\n"
        )
        yield (
            table(("how they ended", "requests"), ((name, f"{count:,}") for name, count in found["ends"].items()))
            + "\n"
        )


def _faults() -> Iterator[str]:
    """The files of tests that inject faults, by what their docstrings say they are about."""
    found = [(path, *_told(path)) for name in _FAULTY for path in sorted((ROOT / "tests").glob(name))]
    yield (
        "## Faults injected\n\nServers that cut, hang, drip, reset, lie and lose; clients that leave; files that change; processes that are "
        f"killed: {sum(count for _, _, count in found)} tests in these files are about them.\n"
    )
    rows = ((f"`{path.relative_to(ROOT)}`", said, str(count)) for path, said, count in found)
    yield table(("file", "what it is about", "tests"), rows) + "\n"


_FAULTY = (
    "transport/retries/test_*.py", "transport/connections/test_*.py", "transport/test_egress*.py", "transport/*pool*.py",
    "transport/test_stream_*.py", "api/test_failover.py", "api/test_hostile_clients.py", "api/test_reload*.py",
    "api/test_streams.py", "api/test_limits_at_the_door.py", "api/test_crowd_and_leaving.py",
    "api/test_privacy_at_the_sockets.py", "eval/test_eval_killed.py", "catalog/test_moving_files.py",
    "catalog/editing/test_writing.py",
)  # fmt: skip


def _told(path: Path) -> tuple[str, int]:
    tree = ast.parse(path.read_text("utf-8"))
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return (ast.get_docstring(tree) or "").partition("\n\n")[0], len(tests)


def _conformance() -> Iterator[str]:
    rows = [
        line for line in (ROOT / "docs/reference/servers.md").read_text("utf-8").splitlines() if line.startswith("|")
    ]
    yield (
        f"## Conformance\n\n[What each server does](../reference/servers.md) is a table of {len(rows) - 2} behaviours, each tried on real "
        "servers, or on fakes where it says so. A server that does better than the table fails its test.\n"
    )


def _speed() -> Iterator[str]:
    if not BENCH.exists():
        return
    yield "## Speed\n\n`make bench` runs the peers beside aldo; these are all of its rows.\n"
    for room, found in json.loads(BENCH.read_text("utf-8"))["rooms"].items():
        yield f"### {room}\n\n{found['machine']}, {found['date']}.\n"
        rows = (
            (
                row["work"],
                amount(row["ours"], row["unit"]),
                row["baseline_name"],
                amount(row["baseline"], row["unit"]),
                ratio(row),
                row["target"],
            )
            for row in found["rows"]
        )
        yield table(("work", "aldo", "beside", "", "ratio", "target"), rows) + "\n"
        for reason in found["leftOut"]:
            yield f"Left out: {reason}\n"


def _sizes() -> Iterator[str]:
    found = _record("sizes")
    if found is None:
        return
    yield "## Sizes\n\nWhat `pip install` brings, beyond the plain package, by `python -m tests.packaging.sizes`.\n"
    rows = (
        (f"`aldo-gateway[{name}]`" if name else "`aldo-gateway`", str(size["distributions"]), f"{size['mb']:.0f} MB")
        for name, size in found["extras"].items()
    )
    yield (
        table(("", "distributions", "on disk"), rows)
        + f"\n\n{found['platform']}, Python {found['python']}, {found['date']}.\n"
    )
