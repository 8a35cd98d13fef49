"""`aldo diff --fail-on`: which changes fail a run, with exact bounds on cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.diff.pairs import KINDS, diff_json, entry, written
from tests.support.cli import aldo


@pytest.fixture(scope="module")
def priced(here: Path) -> Callable[[object], tuple[str, str]]:
    base = written(here / "at-100.yaml", entry("a", 100, 100))

    def pair(price: object) -> tuple[str, str]:
        return base, written(here / f"at-{price}.yaml", entry("a", price, price))

    return pair


@pytest.mark.parametrize(
    ("price", "gate", "code"),
    [
        (105, "cost>5%", 0),
        (105.000001, "cost>5%", 1),
        (105, "cost>4.999999%", 1),
        (105.000001, "dearer>5", 1),
        (100.000001, "cost", 1),
        (95, "cheaper", 1),
        (105, "privacy,redundancy", 0),
    ],
)
def test_a_gate_on_cost_is_exact(
    price: object, gate: str, code: int, priced: Callable[[object], tuple[str, str]]
) -> None:
    done = aldo("diff", *priced(price), "--fail-on", gate)
    assert done.returncode == code, done.stdout
    assert ("failed on" in done.stderr) == bool(code)


@pytest.mark.parametrize("gate", ["cost>1%,cost>50%", "cost,cost>50%", "cost>50%,any"])
def test_of_several_bounds_on_cost_the_strictest_counts(gate: str, priced: Callable[[object], tuple[str, str]]) -> None:
    """5 % dearer is more than 1 %, is dearer at all, and is any change, whatever else is asked."""
    assert aldo("diff", *priced(105), "--fail-on", gate.split(",")[0], "--fail-on", gate.split(",")[1]).returncode == 1


def test_a_bound_on_cost_does_not_hide_smaller_rises_from_the_report(
    priced: Callable[[object], tuple[str, str]],
) -> None:
    """What fails a run is one question, what a reviewer reads another."""
    gated = diff_json(*priced(104), "--fail-on", "cost>5%")
    assert [change["kind"] for change in gated["changes"]] == [
        change["kind"] for change in diff_json(*priced(104))["changes"]
    ]


def test_a_price_within_the_bound_passes_the_gate_of_the_help_page(priced: Callable[[object], tuple[str, str]]) -> None:
    """`--fail-on privacy,unroutable,cost>5%` is the example: a rise of 1 % is no outage."""
    assert "privacy,unroutable,cost>5%" in aldo("diff", "--help").stdout
    done = aldo("diff", *priced(101), "--fail-on", "privacy,unroutable,cost>5%")
    assert (done.returncode, done.stderr) == (0, "")


def test_each_word_fails_on_its_kinds_and_on_no_others(here: Path) -> None:
    base = written(here / "words-1.yaml", entry("a", 0, 0), entry("b", 0, 0, effectiveContextTokens=50_000))
    head = written(here / "words-2.yaml", entry("c", 0, 0))
    kinds = {change["kind"] for change in diff_json(base, head)["changes"]}
    assert kinds == {"rerouted", "redundancy-lost"}
    others = ",".join(sorted(KINDS - kinds)) + ",privacy,cost,cost>1%"
    assert aldo("diff", base, head, "--fail-on", others).returncode == 0
    for word, failing in (
        ("redundancy", "redundancy-lost"),
        ("rerouted", "rerouted"),
        ("any", "rerouted, redundancy-lost"),
    ):
        done = aldo("diff", base, head, "--fail-on", f"privacy, {word}", "--json")
        assert (done.returncode, done.stderr) == (1, f"failed on {failing}\n")
        assert json.loads(done.stdout)["version"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("unroutble", "did you mean unroutable?"),
        ("privacy,cots", "did you mean cost?"),
        ("", "privacy"),
        ("privacy,", "privacy"),
        ("privacy>5%", "only cost takes a bound"),
        ("cost>", "cost>5%"),
        ("COST", "cost"),
    ],
)
def test_a_word_that_is_no_gate_is_bad_usage_and_gates_nothing(
    words: str, said: str, priced: Callable[[object], tuple[str, str]]
) -> None:
    done = aldo("diff", *priced(101), "--fail-on", words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_spaces_in_a_bound_are_no_matter(priced: Callable[[object], tuple[str, str]]) -> None:
    assert aldo("diff", *priced(101), "--fail-on", "cost > 5 %").returncode == 0


def test_a_word_with_control_characters_does_not_reach_the_terminal(
    priced: Callable[[object], tuple[str, str]],
) -> None:
    done = aldo("diff", *priced(101), "--fail-on", "\x1b[31m\u202e")
    assert done.returncode == 2
    assert all(line.isprintable() for line in done.stderr.split("\n"))
