"""Which findings fail a run, and with which exit code."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from aldo.validate import lint, render
from aldo.validate.example import MINIMAL, WITH_CLOUD
from aldo.validate.reports.text import frame

TODAY = datetime.date(2026, 11, 22)
TEXTS = {
    "nothing": MINIMAL,
    "info": MINIMAL.split("models:\n")[1].replace("\n  ", "\n").removeprefix("  "),
    "warning": MINIMAL.replace("[streaming, tool-use]", "[streaming, tool-use, 128k-context]"),
    "error": MINIMAL.replace("    locality: local\n", "    localty: local\n    locality: local\n", 1),
    "unreadable": MINIMAL + "  - [\n",
}
FAILS = {"nothing": (0, 0), "info": (0, 0), "warning": (0, 1), "error": (1, 1), "unreadable": (2, 2)}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("what", TEXTS)
def test_errors_fail_a_run_warnings_a_strict_one_and_infos_none(what: str, strict: bool, tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(TEXTS[what], "utf-8")
    report = lint([file], today=TODAY, strict=strict)
    assert report.exit_code == FAILS[what][strict]
    assert [report.fails(finding) for finding in report.findings] == [report.exit_code > 0] * (what != "nothing")
    expected = {"nothing": set(), "unreadable": {"error"}}.get(what, {what})
    assert {finding.severity for finding in report.findings} == expected
    assert render("junit", report).count("<failure ") == sum(report.counts.values()) * (report.exit_code > 0)


def test_a_place_of_several_lines_is_underlined_to_the_end_of_its_first(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    block = "    cost:\n      usdPerMtokIn: 0   \n      usdPerMtokOut: 0\n"
    text = MINIMAL.replace("    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }\n", block, 1)
    file.write_text(text, "utf-8")
    (report,) = lint([file], today=TODAY).files
    assert report.findings == ()
    file.write_text(WITH_CLOUD.replace("{ usdPerMtokIn: 2, usdPerMtokOut: 10 }", "\n      usdPerMtokIn: 2   "), "utf-8")
    (report,) = lint([file], today=TODAY).files
    (finding,) = report.findings
    assert finding.span is not None
    wide = finding._replace(span=finding.span._replace(column=7, end_line=finding.span.line + 2, end_column=2))
    shown = frame(wide, report.document.shown_lines).splitlines()
    assert shown[3].endswith("|       usdPerMtokIn: 2   ")
    assert shown[4].endswith("|       ^^^^^^^^^^^^^^^")
    assert shown[4].count("^") == len("usdPerMtokIn: 2")


KEYED = WITH_CLOUD.replace("OPENAI_API_KEY", "{}")


@pytest.mark.parametrize(
    ("given", "hint", "fix"),
    [
        ("$OPENAI_API_KEY", "did you mean OPENAI_API_KEY?", "write OPENAI_API_KEY"),
        ('"${openai-key}"', "did you mean OPENAI_KEY?", "write OPENAI_KEY"),
        ('"9 keys"', "write a name such as OPENAI_API_KEY", None),
        ('"$"', "write a name such as OPENAI_API_KEY", None),
    ],
)
def test_a_name_that_could_be_meant_is_written_and_none_is_made_up(
    given: str, hint: str, fix: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(KEYED.replace("{}", given), "utf-8")
    (finding,) = lint([file], today=TODAY).findings
    assert (finding.code, finding.hint, finding.fix and finding.fix.title) == ("AL211", hint, fix)


def test_a_class_that_its_kind_cannot_serve_needs_another_kind(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(MINIMAL.replace("capabilityClass: local-reasoning", "capabilityClass: embeddings", 1), "utf-8")
    found = [finding for finding in lint([file], today=TODAY).findings if finding.code == "AL207"]
    assert [(one.pointer, one.hint, one.fix) for one in found] == [
        ("/models/0/capabilityClass", "serve it with a server of another kind", None)
    ]
    assert found[0].message.startswith("mlx cannot serve embeddings: ")
