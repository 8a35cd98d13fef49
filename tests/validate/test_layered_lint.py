"""Lint of merged catalogs: what the rules say of the result, told in the layer that is to blame."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from aldo.errors import Finding
from aldo.validate import Rule, all_rules, lint
from aldo.validate.example import HEADER, MINIMAL, OVERLAY, WITH_CLOUD
from aldo.validate.fix import fix_files
from tests.support.cases import CASES, MODELS

CATALOGS = [rule for rule in all_rules().values() if not rule.base]


def written(directory: Path, *texts: str) -> list[Path]:
    paths = [directory / f"{number}.yaml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, "utf-8")
    return paths


def told(findings: tuple[Finding, ...]) -> list[Finding]:
    """Without fixes, which are for single files, and what is said of comments, which a layer may make idle."""
    return [finding._replace(fix=None) for finding in findings if not finding.code.startswith("AL9")]


@pytest.mark.parametrize("rule", CATALOGS, ids=lambda rule: rule.code)
def test_an_overlay_that_says_nothing_changes_no_finding(rule: Rule, tmp_path: Path) -> None:
    base, overlay = written(tmp_path, rule.bad, OVERLAY)
    alone, merged = lint(base), lint(base, overlays=[overlay])
    unloadable = any(f.severity == "error" and f.code[2] == "1" for f in alone.findings)
    if unloadable:  # then there is nothing to lay the overlay over: what stops the load is told
        assert [f for f in told(merged.findings) if f.severity == "error"] == [
            f for f in told(alone.findings) if f.severity == "error" and f.code[2] == "1"
        ]
    else:
        assert told(merged.findings) == told(alone.findings)
    assert merged.exit_code == alone.exit_code


@pytest.mark.parametrize("file", [MODELS, CASES / "catalogs" / "families.yaml"], ids=lambda path: path.stem)
def test_nor_does_it_for_whole_catalogs(file: Path, tmp_path: Path) -> None:
    (overlay,) = written(tmp_path, OVERLAY)
    alone = lint(file)
    assert told(lint(file, overlays=[overlay]).findings) == told(alone.findings)


OVERRIDDEN = OVERLAY + "override:\n  frontier:\n    "


@pytest.mark.parametrize(
    ("says", "code", "line", "column"),
    [
        ("privacyAllowed: { $add: [sensitive] }", "AL301", 5, 30),
        ("privacyAllowed: [public, internal, sensitive]", "AL301", 5, 40),
        ("providerConfig: { baseUrl: http://api.example.com }", "AL303", 5, 32),
        ("cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }", "AL401", 5, 11),
        ("provides: { $add: [1m-context] }", "AL405", 5, 24),
        ("provides: { $add: [tool_use] }", "AL201", 5, 24),
        ("deprecation: { date: 2026-12-31, replacement: nobody }", "AL210", 5, 51),
        ("providerConfig: { apiKeyEnv: sk-proj-Zq81kXw02mVbT5yHc9 }", "AL304", 5, 34),
        ("providerConfig: { baseUrl: api.example.com }", "AL208", 5, 32),
    ],
)
def test_a_defect_of_the_result_stands_in_the_layer_that_set_the_value(
    says: str, code: str, line: int, column: int, tmp_path: Path
) -> None:
    base, overlay = written(tmp_path, WITH_CLOUD, OVERRIDDEN + says + "\n")
    assert lint(base).findings == ()
    found = lint(base, overlays=[overlay]).findings
    (finding,) = (finding for finding in found if finding.code == code)
    assert finding.span is not None
    assert (finding.path, finding.span.line, finding.span.column) == (str(overlay), line, column)


def test_a_defect_of_the_base_that_a_layer_mends_is_none(tmp_path: Path) -> None:
    base, overlay = written(
        tmp_path,
        WITH_CLOUD.replace("https://api.openai.com/v1", "http://api.openai.com/v1"),
        OVERRIDDEN + "providerConfig: { baseUrl: https://api.openai.com/v1 }\n",
    )
    assert [finding.code for finding in lint(base).findings] == ["AL303"]
    assert lint(base, overlays=[overlay]).findings == ()


def test_a_comment_in_a_layer_keeps_what_stands_in_that_layer(tmp_path: Path) -> None:
    line = "providerConfig: { baseUrl: http://api.example.com }   # aldo: ignore[AL303] our own network\n"
    base, overlay = written(tmp_path, WITH_CLOUD, OVERRIDDEN + line)
    report = lint(base, overlays=[overlay])
    assert report.findings == ()
    assert [finding.code for finding in report.ignored] == ["AL303"]
    idle = OVERRIDDEN + "description: fast   # aldo: ignore[AL303] our own network\n"
    overlay.write_text(idle, "utf-8")
    assert [finding.code for finding in lint(base, overlays=[overlay]).findings] == ["AL901"]


def test_an_overlay_alone_is_checked_for_what_can_be_known_of_it(tmp_path: Path) -> None:
    says = "providerConfig: { baseUrl: api.example.com, apiKeyEnv: sk-proj-Zq81kXw02mVbT5yHc9 }\n"
    (overlay,) = written(tmp_path, OVERRIDDEN + says)
    report = lint(overlay)
    assert sorted(finding.code for finding in report.findings) == ["AL208", "AL304"]
    assert "sk-proj-Zq81kXw02mVbT5yHc9" not in str(report.to_dict())
    (fine,) = written(tmp_path, OVERRIDDEN + "enabled: false\n")
    assert lint(fine).findings == ()


def test_overlays_among_the_files_are_checked_alone_and_not_under_the_others(tmp_path: Path) -> None:
    base, overlay, other = written(tmp_path, MINIMAL, OVERRIDDEN + "enabled: false\n", OVERLAY + "remove: [gemma]\n")
    found = lint([base, overlay], overlays=[other]).findings
    assert "AL601" not in {finding.code for finding in found}
    assert {"AL503", "AL501"} & {finding.code for finding in found}


def test_the_findings_of_a_layer_over_several_catalogs_are_told_once(tmp_path: Path) -> None:
    base, second, overlay = written(tmp_path, MINIMAL, WITH_CLOUD, OVERLAY + "remove: [nobody]\n")
    report = lint([base, second], overlays=[overlay])
    assert [finding.code for finding in report.findings] == ["AL601"]
    assert len(report.files) == 3


def test_layers_that_cannot_be_used_are_all_told_and_the_rules_wait(tmp_path: Path) -> None:
    base, first, second = written(
        tmp_path, MINIMAL.replace("locality: local", "localty: local", 1), OVERLAY + "overide: {}\n", "[]\n"
    )
    report = lint(base, overlays=[first, second])
    assert [(Path(f.path).stem, f.code) for f in report.findings] == [("0", "AL103"), ("1", "AL103"), ("2", "AL109")]
    assert report.files[0].unchecked
    assert report.exit_code == 2


def test_mending_an_overlay_keeps_what_it_says(tmp_path: Path) -> None:
    says = "effectiveContextTokens: 0o100000   # octal\n"
    (overlay,) = written(tmp_path, OVERRIDDEN + says)
    (done,) = fix_files([overlay]).files
    assert done.text == OVERRIDDEN + "effectiveContextTokens: 32768   # octal\n"
    assert [finding.code for finding in done.made] == ["AL113"]


def test_the_order_of_layers_that_do_not_touch_changes_no_finding(tmp_path: Path) -> None:
    layers = written(
        tmp_path,
        OVERLAY + "override: { qwen: { latencyP95Ms: 9 } }\n",
        OVERLAY + "override: { gemma: { description: small } }\n",
        OVERLAY + "add:\n" + WITH_CLOUD.removeprefix(MINIMAL),
    )
    base = tmp_path / "base.yaml"
    base.write_text(HEADER + MINIMAL.removeprefix(HEADER), "utf-8")
    expected = set(lint(base, overlays=layers).findings)
    draw = random.Random(1)
    for _ in range(5):
        draw.shuffle(layers)
        assert set(lint(base, overlays=layers).findings) == expected
