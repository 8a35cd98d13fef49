"""`aldo lint`: every defect in one run, JSON, explanations, exit codes."""

from __future__ import annotations

import datetime
import json

from aldo.validate import all_rules, lint
from tests.support.cases import CASES, MODELS
from tests.support.cli import aldo

DEFECTS = CASES / "catalogs" / "ten-defects.yaml"

EXPECTED = [  # (line, column, code), read off the file by eye
    (6, 5, "AL103"),
    (7, 15, "AL106"),
    (9, 15, "AL106"),
    (10, 30, "AL106"),
    (10, 40, "AL106"),
    (11, 29, "AL105"),
    (12, 27, "AL106"),
    (12, 46, "AL106"),
    (13, 5, "AL103"),
    (14, 19, "AL105"),
    (15, 11, "AL106"),
    (16, 14, "AL105"),
    (17, 9, "AL107"),
    (24, 29, "AL106"),
    (25, 11, "AL104"),
    (26, 23, "AL103"),
    (26, 55, "AL105"),
    (26, 66, "AL105"),
    (27, 22, "AL106"),
    (28, 5, "AL102"),
    (31, 6, "AL101"),
    (32, 5, "AL105"),
    (33, 5, "AL104"),
    (33, 9, "AL106"),
    (34, 11, "AL105"),
    (35, 1, "AL103"),
]


def test_every_defect_of_a_file_is_found_in_one_run_at_its_place() -> None:
    findings = lint([DEFECTS]).findings
    assert sorted({(f.span.line, f.span.column, f.code) for f in findings if f.span}) == EXPECTED


def test_the_command_line_gives_the_same_findings_as_the_library() -> None:
    done = aldo("lint", "--format", "json", str(DEFECTS))
    report = json.loads(done.stdout)
    assert report["version"] == 1
    assert report["findings"] == [finding.to_dict() for finding in lint([str(DEFECTS)]).findings]
    assert report["checked"] == {"files": 1, "entries": 5, "rules": len(all_rules())}


def test_the_shipped_catalog_is_clean() -> None:
    done = aldo("lint", str(MODELS))
    assert (done.returncode, done.stderr) == (0, "")
    assert "No findings" in done.stdout


def test_text_shows_the_line_with_a_caret_and_the_hint() -> None:
    done = aldo("lint", str(DEFECTS))
    assert " 6 |     providerKnd: mlx\n   |     ^^^^^^^^^^^\n   = help: did you mean 'providerKind'?" in done.stdout


def test_a_rule_explains_itself_and_an_unknown_code_is_bad_usage() -> None:
    told = aldo("lint", "--explain", "al110").stdout
    assert "One file holds one catalog" in " ".join(told.split())
    assert max(map(len, told.splitlines())) <= 80
    done = aldo("lint", "--explain", "AL999")
    assert done.returncode == 2
    assert "--explain all" in " ".join(done.stderr.split())


def test_standard_input_and_several_files_are_linted_in_one_run() -> None:
    text = MODELS.read_text("utf-8")
    done = aldo("lint", "-", str(MODELS), stdin=text)
    assert done.returncode == 0
    assert "2 files" in done.stdout
    done = aldo("lint", "-", str(MODELS), stdin=text.replace("locality: local", "locality: lokal", 1))
    assert done.returncode == 1
    assert "<stdin>:" in done.stdout


FAMILIES = [  # (line, column, code), read off the file by eye
    (10, 27, "AL201"),
    (10, 37, "AL207"),
    (12, 29, "AL113"),
    (14, 32, "AL302"),
    (16, 31, "AL902"),
    (21, 27, "AL405"),
    (32, 40, "AL301"),
    (34, 27, "AL402"),
    (35, 70, "AL304"),
    (37, 9, "AL501"),
]


def test_ten_defects_of_every_family_are_found_through_both_doors() -> None:
    file = CASES / "catalogs" / "families.yaml"
    report = lint([file], today=datetime.date(2026, 11, 22))
    assert [(f.span.line, f.span.column, f.code) for f in report.findings if f.span] == FAMILIES
    done = aldo("lint", "--json", str(file))
    assert (done.returncode, json.loads(done.stdout)) == (1, report.to_dict())
