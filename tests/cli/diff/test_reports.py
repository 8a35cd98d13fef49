"""The shape of a difference as JSON, text and Markdown."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.diff.pairs import EVERY_KIND, PAIRS, diff_json, entry, local, written
from tests.support.cases import ROOT
from tests.support.cli import aldo


def test_the_json_has_the_fields_that_were_promised_whatever_the_hash_seed_and_order(
    every_kind: tuple[str, str], here: Path
) -> None:
    told = diff_json(*every_kind, PYTHONHASHSEED="1")
    turned = [written(here / f"turned{side}.yaml", *reversed(EVERY_KIND[side])) for side in (0, 1)]
    assert told == diff_json(turned[0], turned[1], PYTHONHASHSEED="2")
    assert told["version"] == 1
    assert set(told) >= {"version", "changes", "routingDigests"}
    assert set(told["routingDigests"]) == {"base", "head"}
    for change in told["changes"]:
        assert set(change) >= {"kind", "region", "witness", "base", "head"}
    assert aldo("diff", *every_kind, "--json").stdout == aldo("diff", *every_kind, "--format=json").stdout


def test_base_and_head_exchanged_give_the_opposite_kinds(every_kind: tuple[str, str]) -> None:
    opposite = {
        "unroutable": "routable",
        "dearer": "cheaper",
        "privacy-widened": "privacy-narrowed",
        "redundancy-lost": "redundancy-gained",
    }
    opposite |= {other: kind for kind, other in opposite.items()} | {"rerouted": "rerouted"}

    def told(base: str, head: str) -> set[tuple[Any, ...]]:
        return {
            (
                c["kind"],
                c["region"].get("capabilityClass"),
                c["base"] and c["base"]["model"],
                c["head"] and c["head"]["model"],
            )
            for c in diff_json(base, head)["changes"]
            if not c["kind"].startswith(("privacy", "redundancy"))
        }

    there, back = told(*every_kind), told(*reversed(every_kind))
    assert there == {(opposite[kind], name, head, base) for kind, name, base, head in back}


def test_catalogs_that_differ_in_nothing_that_routing_reads_have_no_changes(here: Path) -> None:
    base = written(here / "same-1.yaml", entry("a"), local("b"))
    head = written(
        here / "same-2.yaml", local("b", provider="two", description="| `x` |"), entry("a", provider="three")
    )
    told = diff_json(base, head)
    assert told["changes"] == []
    assert told["routingDigests"]["base"] == told["routingDigests"]["head"]
    for form in ("text", "markdown"):
        done = aldo("diff", base, head, "--format", form, "--fail-on", "any")
        assert (done.returncode, done.stderr) == (0, "")
        assert "No request is routed differently" in done.stdout


def test_the_text_shows_a_dozen_lines_and_says_how_many_more_there_are(here: Path) -> None:
    classes = [f"house-{number}" for number in range(20)]
    vocabulary = {"capabilityClasses": classes}
    base = written(
        here / "many-1.yaml",
        *(entry(f"m-{name}", 0, 0, capabilityClass=name) for name in classes),
        vocabulary=vocabulary,
    )
    head = written(
        here / "many-2.yaml",
        *(entry(f"n-{name}", 0, 0, capabilityClass=name) for name in classes),
        vocabulary=vocabulary,
    )
    short, full = aldo("diff", base, head).stdout, aldo("diff", base, head, "--all").stdout
    assert len(re.findall("^rerouted", short, re.M)) == 12
    assert "8 smaller lines not shown; --all shows all." in short
    assert len(re.findall("^rerouted", full, re.M)) == 20
    assert "--all" not in full
    assert len(diff_json(base, head)["changes"]) == 20


def test_prose_fits_80_columns_and_nothing_but_text_reaches_a_pipe(every_kind: tuple[str, str]) -> None:
    shown = aldo("diff", *every_kind, "--all").stdout + aldo("diff", "--help").stdout
    prose = [line for line in shown.splitlines() if not line.strip().startswith("{")]
    assert len(prose) > 60
    assert max(map(len, prose)) <= 80
    assert "\x1b" not in shown


def test_a_reader_that_stops_reading_is_no_error(every_kind: tuple[str, str]) -> None:
    command = f"{sys.executable} -m aldo.cli.main diff --json {every_kind[0]} {every_kind[1]} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("{\n", "", 0)


def cells(row: str) -> list[str]:
    """The cells of a row of a table: pipes divide them but for those that a backslash stands before."""
    assert row.startswith("|")
    assert row.endswith("|")
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


@pytest.mark.parametrize("pair", ["every kind", "shipped"])
def test_markdown_is_one_table_whose_rows_have_as_many_cells_as_its_head(pair: str, tmp_path: Path) -> None:
    base, head = PAIRS[pair](tmp_path)
    lines = aldo("diff", base, head, "--format", "markdown").stdout.split("\n")
    assert lines[0].startswith("#")
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("|"))
    assert (lines[start - 1], lines[end]) == ("", "")
    table = [cells(line) for line in lines[start:end]]
    assert {len(row) for row in table} == {len(table[0])}
    assert set(table[1]) == {"---"}
    assert len(table) > 5
    assert all(all(row) for row in table[2:])
    assert not any(line.startswith("|") for line in lines[end:])
    fenced = "\n".join(lines).split("```")
    assert len(fenced) == 3
    witnesses = [json.loads(line[line.index("{") :]) for line in fenced[1].strip().splitlines()]
    assert len(witnesses) == len(table) - 2
    known = [change["witness"] for change in diff_json(base, head)["changes"]]
    assert all(witness in known for witness in witnesses)


def test_one_change_is_told_in_the_singular(here: Path) -> None:
    base = written(here / "single-1.yaml", entry("a", 0, 0))
    head = written(here / "single-2.yaml", entry("b", 0, 0))
    shown = aldo("diff", base, head, "--format", "markdown").stdout
    assert len(diff_json(base, head)["changes"]) == 1
    assert "1 changes" not in shown


def test_ids_are_neither_links_nor_mentions_nor_emphasis_in_markdown(here: Path) -> None:
    """An id is any of letters, digits and `. _ : / @ + -`, and a pull request shows it to everybody."""
    ids = ("https://evil.example/x", "www.evil.example", "team/@octocat", "a_b_c__d__")
    base = written(
        here / "ids-1.yaml", *(entry(model, 1, 1, capabilityClass=f"c{number}") for number, model in enumerate(ids))
    )
    head = written(
        here / "ids-2.yaml", *(entry(model, 2, 2, capabilityClass=f"c{number}") for number, model in enumerate(ids))
    )
    rows = [
        line
        for line in aldo("diff", base, head, "--format", "markdown", "--all").stdout.split("\n")
        if line.startswith("| **")
    ]
    for model in ids:
        named = [row for row in rows if model in row]
        assert named
        for row in named:
            outside = re.sub(r"`[^`]*`", "", row)
            assert model not in outside, row
