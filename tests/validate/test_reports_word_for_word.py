"""Each report of two files, word for word: an error, and a warning with a mending and a second place."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path

import pytest

from aldo.validate import all_rules, lint, render
from aldo.validate.example import MINIMAL
from aldo.validate.outcome import LintReport
from aldo.validate.reports import text as text_report

TODAY = datetime.date(2026, 11, 22)
DOCS = "https://docs.aldo.example/reference/rules/"
TAG = MINIMAL.replace("[streaming, tool-use]", "[streaming, tool-use, 128k-context]")


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LintReport:
    monkeypatch.chdir(tmp_path)
    bad = TAG.replace("    locality: local\n", "    localty: local\n    locality: local\n", 1)
    Path("a,b.yaml").write_text(bad, "utf-8")
    Path("fine.yaml").write_text(MINIMAL, "utf-8")
    return lint(["a,b.yaml", "fine.yaml"], today=TODAY)


RULES = len(all_rules())
FIRST = "unknown field 'localty'"
SECOND = "128k-context promises 128000 tokens, but effectiveContextTokens is 32768"


def test_the_report_for_people(report: LintReport) -> None:
    assert render("text", report) == (
        f"""\
error[AL103] {FIRST}
  --> a,b.yaml:7:5
   |
 7 |     localty: local
   |     ^^^^^^^
   = help: did you mean 'locality'?
   = docs: {DOCS}#al103

warning[AL405] {SECOND}
  --> a,b.yaml:10:37
    |
 10 |     provides: [streaming, tool-use, 128k-context]
    |                                     ^^^^^^^^^^^^
   = see a,b.yaml:12:29: the context
   = help: remove 128k-context, or correct the context
   = fix: remove 128k-context (with --fix --unsafe)
   = docs: {DOCS}#al405

1 error, 1 warning (2 files, 4 entries, {RULES} rules checked)
Not checked until the errors are mended: AL501, AL502, AL503, AL504
Can be mended: 1 with --fix --unsafe
"""
    )


def test_the_report_for_github(report: LintReport) -> None:
    assert render("github", report).splitlines()[:2] == [
        "::error file=a%2Cb.yaml,line=7,endLine=7,col=5,endColumn=12,title=AL103 unknown-field::"
        f"{FIRST}%0Adid you mean 'locality'?%0A{DOCS}#al103",
        "::warning file=a%2Cb.yaml,line=10,endLine=10,col=37,endColumn=49,title=AL405 context-tag::"
        f"{SECOND}%0Aremove 128k-context, or correct the context%0A{DOCS}#al405",
    ]


def fingerprint(code: str, pointer: str, message: str) -> str:
    return hashlib.sha256("\0".join(("a,b.yaml", code, pointer, message, "1")).encode()).hexdigest()


def test_the_report_for_gitlab(report: LintReport) -> None:
    first, second = json.loads(render("gitlab", report))
    assert first == {
        "type": "issue",
        "check_name": "AL103 unknown-field",
        "description": f"{FIRST} (did you mean 'locality'?)",
        "categories": ["Bug Risk"],
        "severity": "major",
        "fingerprint": fingerprint("AL103", "/models/0/localty", FIRST),
        "location": {"path": "a,b.yaml", "lines": {"begin": 7, "end": 7}},
        "content": {"body": f"{DOCS}#al103"},
    }
    assert (second["check_name"], second["severity"]) == ("AL405 context-tag", "minor")


def test_the_report_as_sarif(report: LintReport) -> None:
    document = json.loads(render("sarif", report))
    (run,) = document["runs"]
    assert (document["version"], run["columnKind"]) == ("2.1.0", "unicodeCodePoints")
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["informationUri"]) == ("aldo", DOCS)
    assert run["artifacts"] == [{"location": {"uri": uri}} for uri in ("a%2Cb.yaml", "fine.yaml")]
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]
    place = run["artifacts"][0]["location"]
    _, result = run["results"]
    region = {"startLine": 10, "startColumn": 37, "endLine": 10, "endColumn": 49}
    assert result == {
        "ruleId": "AL405",
        "ruleIndex": sorted(all_rules()).index("AL405"),
        "level": "warning",
        "message": {"text": f"{SECOND} (remove 128k-context, or correct the context)"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": place, "region": region},
                "logicalLocations": [{"fullyQualifiedName": "/models/0/provides/2"}],
            }
        ],
        "relatedLocations": [
            {
                "physicalLocation": {
                    "artifactLocation": place,
                    "region": {"startLine": 12, "startColumn": 29, "endLine": 12, "endColumn": 34},
                },
                "message": {"text": "the context"},
            }
        ],
        "fixes": result["fixes"],
        "partialFingerprints": {"aldoFinding/v1": fingerprint("AL405", "/models/0/provides/2", SECOND)},
    }
    (fix,) = result["fixes"]
    assert fix["description"] == {"text": "remove 128k-context (unsafe)"}
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == place


def test_the_rules_as_sarif_say_what_their_files_say(report: LintReport) -> None:
    told = json.loads(render("sarif", report))["runs"][0]["tool"]["driver"]["rules"]
    levels = {"error": "error", "warning": "warning", "info": "note"}
    assert told == [
        {
            "id": rule.code,
            "name": rule.name,
            "shortDescription": {"text": rule.summary},
            "fullDescription": {"text": " ".join(rule.explanation.split())},
            "help": {"text": rule.explanation.strip(), "markdown": rule.explanation.strip()},
            "helpUri": f"{DOCS}#{rule.code.lower()}",
            "defaultConfiguration": {"level": levels[rule.severity]},
        }
        for rule in all_rules().values()
    ]


def test_the_report_as_junit(report: LintReport) -> None:
    assert render("junit", report) == (
        f"""\
<?xml version="1.0" encoding="utf-8"?>
<testsuites name="aldo lint" tests="3" failures="1" errors="0">
  <testsuite name="a,b.yaml" tests="2" failures="1" errors="0" skipped="0" time="0">
    <testcase name="AL103 at 7:5" classname="a,b.yaml" time="0">
      <failure type="error" message="{FIRST}">a,b.yaml:7:5: {FIRST}
did you mean 'locality'?
{DOCS}#al103</failure>
    </testcase>
    <testcase name="AL405 at 10:37" classname="a,b.yaml" time="0">
      <system-out>warning: a,b.yaml:10:37: {SECOND}
remove 128k-context, or correct the context
{DOCS}#al405</system-out>
    </testcase>
  </testsuite>
  <testsuite name="fine.yaml" tests="1" failures="0" errors="0" skipped="0" time="0">
    <testcase name="no findings" classname="fine.yaml" time="0" />
  </testsuite>
</testsuites>
"""
    )


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(0, "file", "0 files"), (1, "entry", "1 entry"), (2, "entry", "2 entries"), (3, "info", "3 info"), (1, "info", "1 info")],
)  # fmt: skip
def test_a_number_of_things_is_said_as_people_do(number: int, noun: str, said: str) -> None:
    assert text_report._count(number, noun) == said


def test_the_last_line_counts_what_was_found_ignored_and_can_be_mended(tmp_path: Path) -> None:
    def last(text: str) -> list[str]:
        (tmp_path / "one.yaml").write_text(text, "utf-8")
        return text_report.summary(lint([tmp_path / "one.yaml"], today=TODAY)).splitlines()

    checked = f"(1 file, 2 entries, {RULES} rules checked)"
    twice = MINIMAL.replace("    locality: local\n", "    locality: local\n    locality: local\n", 1)
    assert last(MINIMAL) == [f"No findings {checked}"]
    assert last(TAG) == [f"1 warning {checked}", "Can be mended: 1 with --fix --unsafe"]
    comment = "128k-context] # aldo: ignore[AL405] meant so"
    assert last(TAG.replace("128k-context]", comment)) == [f"No findings, 1 ignored {checked}"]
    said = last(twice)
    assert said[0].startswith("1 ")
    assert said[-1] == "Can be mended: 1 with --fix"
    both = twice.replace("[streaming, tool-use]", "[streaming, tool-use, 128k-context]")
    assert last(both)[-1] == "Can be mended: 1 with --fix, 1 more with --fix --unsafe"
