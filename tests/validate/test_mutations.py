"""The shipped catalog with one defect: exactly that defect is found, at its line, and nothing else.

`python -m tests.validate.test_mutations [SEEDS]` prints how many mutations of how many kinds were tried and found.
"""

from __future__ import annotations

import datetime
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from aldo.validate import LintReport, all_rules, lint
from tests.support.mutations import MUTATIONS, SHIPPED, Broken, Mutation, shipped, with_house_tag

TODAY = datetime.date(2026, 11, 22)
SEEDS = 6
TRIED: Counter[str] = Counter()
FOUND: Counter[str] = Counter()
IGNORED = ("AL206", "AL504", "AL504", "AL501")


def found_in(file: Path, text: str) -> LintReport:
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    return lint([file], today=TODAY)


def places(report: LintReport) -> list[tuple[str, int]]:
    return [(finding.code, finding.span.line if finding.span else 0) for finding in report.findings]


def broken_by(mutation: Mutation, seed: int) -> Broken:
    return mutation.apply(random.Random(f"{mutation} {seed}"))


def misses(mutation: Mutation, file: Path, seeds: int) -> list[str]:
    """Every seed with which the mutation is not found, or not alone, and what was found instead."""
    wrong = []
    for seed in range(seeds):
        broken = broken_by(mutation, seed)
        report = found_in(file, broken.text)
        TRIED[str(mutation)] += 1
        if places(report) == [(broken.code, broken.line)]:
            FOUND[str(mutation)] += 1
        else:
            told = "; ".join(str(finding) for finding in report.findings)
            line = broken.text.split("\n")[broken.line - 1]
            wrong.append(
                f"seed {seed}: wanted {broken.code} at {broken.line} ({line.strip()}), found {told or 'nothing'}"
            )
    return wrong


def tally() -> str:
    codes = {name[:5] for name in TRIED}
    return (
        f"{TRIED.total()} mutations of {len(TRIED)} kinds for {len(codes)} rules: "
        f"{FOUND.total()} found at their line and alone"
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("mutations") / "models.yaml"
    print(f"\n{tally()}")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_defect_is_found_at_its_line_and_nothing_else(mutation: Mutation, file: Path) -> None:
    assert misses(mutation, file, SEEDS) == []


def test_the_catalogs_that_are_mutated_are_clean(file: Path) -> None:
    """The premise: the mutations leave alone what these four comments speak of."""
    for source in (shipped(), with_house_tag()):
        report = found_in(file, "\n".join(source.lines))
        assert places(report) == []
        assert tuple(finding.code for finding in report.ignored) == IGNORED


def test_every_rule_has_a_mutation() -> None:
    """Of single catalogs; what layers do to each other is in tests/catalog/layers, suites are in test_lint_suites."""
    of_catalogs = {code for code, rule in all_rules().items() if not rule.base and not code.startswith("AL7")}
    assert {mutation.code for mutation in MUTATIONS} == of_catalogs


def test_mutations_change_something_and_differ_with_the_seed() -> None:
    texts = [broken_by(mutation, seed).text for mutation in MUTATIONS for seed in range(2)]
    assert SHIPPED not in texts
    assert len(set(texts)) > len(MUTATIONS) * 1.5


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_line_ends_and_a_byte_order_mark_move_no_finding(mutation: Mutation, file: Path) -> None:
    broken = broken_by(mutation, SEEDS)
    plain = found_in(file, broken.text)
    dressed = found_in(file, "\ufeff" + broken.text.replace("\n", "\r\n"))
    assert places(dressed) == places(plain)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_an_error_fails_the_run_and_nothing_else_does(mutation: Mutation, file: Path) -> None:
    report = found_in(file, broken_by(mutation, SEEDS + 1).text)
    if any(finding.unreadable for finding in report.findings):
        assert report.exit_code == 2
    else:
        assert report.exit_code == int(any(finding.severity == "error" for finding in report.findings))


def main(seeds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for mutation in MUTATIONS:
            for miss in misses(mutation, Path(folder) / "models.yaml", seeds):
                print(f"{mutation}: {miss}")
    print(tally())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
