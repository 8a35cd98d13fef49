"""What each format holds, and that all six tell of the same findings."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.validate import all_rules, lint, render
from tests.support.defects import IDS, STRUCTURE, SYNTAX, Defect, catalog
from tests.validate.formats.reading_reports import TEN, TODAY, agree, linted


def test_json_has_exactly_the_promised_shape(here: Path) -> None:
    report = linted(here, TEN)
    told = json.loads(render("json", report))
    assert list(told) == ["version", "findings", "checked"]
    assert told["version"] == 1
    assert told["checked"] == {"files": 1, "entries": 3, "rules": len(all_rules())}
    for one, finding in zip(told["findings"], report.findings, strict=True):
        span = finding.span
        assert span is not None
        assert {name: one.pop(name) for name in ("line", "column", "endLine", "endColumn")} == {
            "line": span.line, "column": span.column, "endLine": span.end_line, "endColumn": span.end_column,
        }  # fmt: skip
        assert one.pop("related") == [other.to_dict() for other in finding.related]
        assert one == {
            "code": finding.code,
            "severity": finding.severity,
            "path": "models.yaml",
            "pointer": finding.pointer,
            "message": finding.message,
            "hint": finding.hint,
            "url": all_rules()[finding.code].url,
            "fix": finding.fix_kind,
        }


def test_sarif_leaves_out_what_is_ignored_and_tells_fixes_as_edits_and_related_places(here: Path) -> None:
    report = linted(here, TEN)
    results = json.loads(render("sarif", report))["runs"][0]["results"]
    assert report.ignored
    assert len(results) == len(report.findings)
    assert sum("fixes" in result for result in results) == sum(f.fix is not None for f in report.findings)
    related = {r["ruleId"] for r in results if "relatedLocations" in r}
    assert related == {finding.code for finding in report.findings if finding.related}
    rules = json.loads(render("sarif", report))["runs"][0]["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)


def test_the_replacements_of_a_sarif_fix_are_the_edits_of_the_fix(here: Path) -> None:
    report = linted(here, TEN)
    results = [r for r in json.loads(render("sarif", report))["runs"][0]["results"] if "fixes" in r]
    lines = TEN.split("\n")

    def offset(line: int, column: int) -> int:
        return sum(len(text) + 1 for text in lines[: line - 1]) + column - 1

    for finding, result in zip((f for f in report.findings if f.fix), results, strict=True):
        told = [
            (
                offset(one["deletedRegion"]["startLine"], one["deletedRegion"]["startColumn"]),
                offset(one["deletedRegion"]["endLine"], one["deletedRegion"]["endColumn"]),
                one["insertedContent"]["text"],
            )
            for one in result["fixes"][0]["artifactChanges"][0]["replacements"]
        ]
        assert finding.fix is not None
        assert told == [(edit.start, edit.end, edit.text) for edit in finding.fix.edits]


def test_junit_counts_what_it_holds_and_strict_makes_warnings_fail(here: Path) -> None:
    (here / "models.yaml").write_text(TEN, "utf-8")
    for strict in (False, True):
        report = lint(["models.yaml"], today=TODAY, strict=strict)
        root = ElementTree.fromstring(render("junit", report))
        failures = sum(report.fails(finding) for finding in report.findings)
        assert len(list(root.iter("failure"))) == failures == int(root.get("failures", ""))
        assert len(list(root.iter("testcase"))) == len(report.findings) == int(root.get("tests", ""))


def test_fingerprints_are_unique_and_outlive_lines_added_above(here: Path) -> None:
    first = json.loads(render("gitlab", linted(here, TEN)))
    moved = json.loads(render("gitlab", linted(here, f"# one\n# two\n\n{TEN}")))
    prints = [issue["fingerprint"] for issue in first]
    assert len(set(prints)) == len(prints)
    assert {issue["fingerprint"] for issue in moved} == set(prints)


def test_fingerprints_do_not_depend_on_how_a_file_below_the_working_directory_is_named(here: Path) -> None:
    plain = json.loads(render("gitlab", linted(here, TEN)))
    for name in ("./models.yaml", here / "models.yaml"):
        assert json.loads(render("gitlab", lint([name], today=TODAY))) == plain


def _defects() -> st.SearchStrategy[dict[int, tuple[Defect, ...]]]:
    return st.dictionaries(
        st.integers(0, len(IDS) - 1),
        st.lists(st.sampled_from(STRUCTURE + SYNTAX), max_size=4).map(tuple),
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(defects=_defects(), bare=st.booleans())
def test_every_format_tells_of_the_same_findings(
    scratch: Path, defects: dict[int, tuple[Defect, ...]], bare: bool
) -> None:
    file = scratch / "same.yaml"
    file.write_text(catalog(defects, bare=bare), "utf-8")
    agree(lint([file], today=TODAY))
