"""SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aldo._version import __version__
from aldo.errors import RULES_PAGE, Finding, Fix, Span, printable
from aldo.schema.printed import dumps
from aldo.validate.outcome import FileReport, LintReport
from aldo.validate.registry import all_rules
from aldo.validate.reports.fingerprint import fingerprints
from aldo.validate.reports.paths import uri
from aldo.validate.rule import Rule

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def render(report: LintReport) -> str:
    rules = all_rules()
    run = {
        "tool": {
            "driver": {
                "name": "aldo",
                "version": __version__,
                "informationUri": RULES_PAGE,
                "rules": [_rule(rule) for rule in rules.values()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": uri(file.path)}} for file in report.files],
        "invocations": [{"executionSuccessful": report.exit_code < 2, "exitCode": report.exit_code}],
        "results": [result for file in report.files for result in _results(file, list(rules))],
    }
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": " ".join(rule.explanation.split())},
        "help": {"text": rule.explanation.strip(), "markdown": rule.explanation.strip()},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _results(file: FileReport, codes: list[str]) -> list[dict[str, Any]]:
    """What is ignored is left out: GitHub shows it as open, whatever `suppressions` say."""
    found = zip(file.findings, fingerprints(file.findings), strict=True)
    return [
        _result(finding, file, codes) | {"partialFingerprints": {"aldoFinding/v1": fingerprint}}
        for finding, fingerprint in found
    ]


def _result(finding: Finding, file: FileReport, codes: list[str]) -> dict[str, Any]:
    hint = f" ({printable(finding.hint)})" if finding.hint else ""
    location: dict[str, Any] = {"physicalLocation": _physical(finding.path, finding.span)}
    if finding.pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.pointer}]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": printable(finding.message) + hint},
        "locations": [location],
    }
    if finding.related:
        result["relatedLocations"] = [
            {"physicalLocation": _physical(other.path, other.span), "message": {"text": printable(other.message)}}
            for other in finding.related
        ]
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.fix, file)]
    return result


def _physical(path: str, span: Span | None) -> dict[str, Any]:
    return {"artifactLocation": {"uri": uri(path)}} | ({"region": _region(span)} if span else {})


def _region(span: Span) -> Mapping[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(fix: Fix, file: FileReport) -> dict[str, Any]:
    places = file.document.spans
    replacements = [
        {
            "deletedRegion": _region(places.between(edit.start, edit.end)),
            "insertedContent": {"text": edit.text},
        }
        for edit in fix.edits
    ]
    change = {"artifactLocation": {"uri": uri(file.path)}, "replacements": replacements}
    return {
        "description": {"text": f"{printable(fix.title)} ({'safe' if fix.safe else 'unsafe'})"},
        "artifactChanges": [change],
    }
