"""Every report is valid by its own schema, whatever the files are called and wherever they lie."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from aldo.validate import FORMATS, lint, render
from aldo.validate.example import MINIMAL
from tests.support.cases import CASES
from tests.support.cli import aldo
from tests.validate.formats.reading_reports import (
    NAMES,
    READERS,
    TEN,
    TODAY,
    agree,
    from_gitlab,
    from_sarif,
    github_commands,
    junit_schema,
    linted,
    problems,
    sarif_problems,
    unprintable,
)


def test_the_checks_of_the_schemas_can_fail() -> None:
    report = json.loads(render("sarif", lint([CASES / "catalogs" / "ten-defects.yaml"], today=TODAY)))
    assert sarif_problems(json.dumps(report)) == []
    report["runs"][0]["artifacts"][0]["location"]["uri"] = "with space"
    assert len(sarif_problems(json.dumps(report))) == 1
    assert len(list(junit_schema().iter_errors(ElementTree.fromstring("<testsuites><testsuite/></testsuites>")))) > 0


def test_reports_on_a_file_of_many_defects_are_valid_by_their_schemas(here: Path) -> None:
    report = linted(here, TEN)
    codes = {finding.code for finding in report.findings}
    assert len(codes) >= 10
    assert {finding.code for finding in report.ignored} == {"AL403"}
    assert any(finding.related for finding in report.findings)
    assert {finding.fix_kind for finding in report.findings} == {"safe", "unsafe", "none"}
    assert problems(report) == []


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_file_name_survives_in_valid_reports(here: Path, name: str) -> None:
    report = linted(here, TEN, name)
    assert problems(report) == []
    assert {told.path for told in from_sarif(render("sarif", report))} in ({name}, {name.replace("\udcff", "\ufffd")})
    for form in FORMATS:
        render(form, report).encode("utf-8", "replace")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_file_name_leaves_every_output_printable(here: Path, name: str) -> None:
    report = linted(here, TEN, name)
    assert {form: unprintable(render(form, report)) for form in FORMATS} == {form: set() for form in FORMATS}


@pytest.mark.parametrize(
    "name", ["plain.yaml", "with space.yaml", "hash#1.yaml", "50%.yaml", "100%25%0A%3A.yaml", "comma,colon:semi;.yaml"]
)
def test_the_file_of_a_github_command_is_the_file(here: Path, name: str) -> None:
    report = linted(here, TEN, name)
    told = github_commands(render("github", report))
    assert [(level, given["file"], int(given["line"])) for level, given, _ in told] == [
        ({"error": "error", "warning": "warning", "info": "notice"}[f.severity], name, f.span and f.span.line)
        for f in report.findings
    ]
    assert [text.split("\n")[0] for _, _, text in told] == [finding.message for finding in report.findings]


def test_reports_on_absolute_paths_are_valid_and_relative_below_the_working_directory(here: Path) -> None:
    (here / "below.yaml").write_text(TEN, "utf-8")
    report = lint([here / "below.yaml"], today=TODAY)
    assert problems(report) == []
    assert {told.path for told in from_sarif(render("sarif", report))} == {"below.yaml"}
    assert {told.path for told in from_gitlab(render("gitlab", report))} == {"below.yaml"}


def test_reports_on_files_outside_the_working_directory_are_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside.yaml").write_text(TEN, "utf-8")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert problems(lint(["../beside.yaml"], today=TODAY)) == []
    assert problems(lint([tmp_path / "beside.yaml"], today=TODAY)) == []


def test_one_file_under_two_names_is_reported_validly(here: Path) -> None:
    (here / "models.yaml").write_text(TEN, "utf-8")
    assert problems(lint(["models.yaml", "./models.yaml", here / "models.yaml"], today=TODAY)) == []


@pytest.mark.parametrize(
    "data",
    [None, b"", b"\xff\xfe\x00", b"a\x00b", b"a: [", b"--- 1\n--- 2\n", b"just text", b"[]", b"- 1\n- 2\n", b"\xef\xbb\xbf" + TEN.encode()],
    ids=["missing", "empty", "no-utf8", "nul", "syntax", "two", "text", "no-entries", "numbers", "bom"],
)  # fmt: skip
def test_reports_on_unreadable_files_are_valid_and_agree(here: Path, data: bytes | None) -> None:
    if data is not None:
        (here / "models.yaml").write_bytes(data)
    report = lint(["models.yaml"], today=TODAY)
    assert report.findings
    assert problems(report) == []
    agree(report)


def test_reports_on_a_directory_and_on_nothing_found_are_valid(here: Path) -> None:
    (here / "ok.yaml").write_text(MINIMAL, "utf-8")
    report = lint([".", "ok.yaml"], today=TODAY)
    assert [finding.code for finding in report.findings] == ["AL108"]
    assert problems(report) == []
    clean = lint(["ok.yaml"], today=TODAY)
    assert clean.findings == ()
    assert problems(clean) == []
    assert {form: READERS[form](render(form, clean)) for form in FORMATS} == {form: [] for form in FORMATS}


def test_standard_input_has_a_name_that_every_format_can_carry(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEN.encode()), "utf-8"))
    report = lint(["-"], today=TODAY)
    assert problems(report) == []
    assert len(report.findings) > 10


def test_reports_are_written_whatever_bytes_a_file_name_has(tmp_path: Path) -> None:
    name = os.fsdecode(b"not-utf8-\xff.yaml")
    (tmp_path / name).write_text(TEN, "utf-8")
    outputs = [option for form in FORMATS for option in ("--output", f"{form}=out.{form}")]
    done = aldo("lint", "--today", str(TODAY), "--statistics", *outputs, name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    for form in FORMATS:
        READERS[form]((tmp_path / f"out.{form}").read_text("utf-8"))
