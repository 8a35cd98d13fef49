"""Comments that ignore a finding: where they hold, and when they are told as doing nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from aldo.validate import lint
from tests.validate.contract.catalogs import TODAY, catalog, codes, costing, found, line_of, subject, told


def test_a_comment_on_the_line_or_above_the_entry_keeps_the_finding_from_being_told(folder: Path) -> None:
    plain = catalog(subject("cloud", {"cost": costing("10", "2")}))
    behind = plain.replace(costing("10", "2"), costing("10", "2") + " # aldo: ignore[AL403] truly")
    above = plain.replace("  - id: subject", "  # aldo: ignore[AL403] truly\n  - id: subject")
    for text in (behind, above):
        path = folder / "ignored.yaml"
        path.write_text(text, "utf-8")
        report = lint([path], today=TODAY)
        assert told(report.findings) == []
        assert codes(report.ignored) == ["AL403"]


@pytest.mark.parametrize(
    ("comment", "code", "says"),
    [
        ("ignore[AL403] no longer true", "AL901", "AL403"),
        ("ignore[AL301, AL403] both gone", "AL901", "AL301"),
        ("ignore[AL999] what", "AL902", "AL999"),
        ("ignore[output-cheaper] by name", "AL902", "output-cheaper"),
        ("ignore", "AL902", ""),
        ("ignore[] nothing", "AL902", ""),
        ("ignroe[AL403] typo", "AL902", ""),
        ("ignore[AL104] cannot be", "AL902", "AL104"),
    ],
)
def test_a_comment_that_does_nothing_is_told(comment: str, code: str, says: str, folder: Path) -> None:
    text = catalog(subject("cloud", {"cost": f"{costing('2', '10')} # aldo: {comment}"}))
    findings = found(text, folder)
    assert set(codes(findings)) == {code}, told(findings)
    assert {f.severity for f in findings} == {"warning"}
    assert says.upper() in findings[0].message.upper()
    assert {f.span and f.span.line for f in findings} == {line_of(text, "subject", "cost")}


def test_a_comment_for_a_rule_that_this_run_does_not_apply_is_not_unused(folder: Path) -> None:
    text = catalog(subject("cloud", {"cost": f"{costing('2', '10')} # aldo: ignore[AL403] kept"}))
    assert told(found(text, folder, ignore=["AL403"])) == []
    assert told(found(text, folder, select=["AL3", "AL9"])) == []


@pytest.mark.parametrize(
    "comment", ["# Aldo is a gateway", "# see aldo lint", "# waldo: ignore[AL1]", "# ignore[AL403]"]
)
def test_other_comments_are_nobodys_business(comment: str, folder: Path) -> None:
    assert told(found(catalog(subject("cloud", {"cost": f"{costing('2', '10')} {comment}"})), folder)) == []
