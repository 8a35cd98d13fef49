"""`aldo lint` of suites and agents: every defect once, at its place, beside every other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aldo.errors import Finding
from aldo.validate import FORMATS, LintReport, all_rules, lint, render
from aldo.validate.example import MINIMAL, OVERLAY, SUITE, WITH_JUDGE, WITH_REGEX, WITH_SCHEMA, changed
from aldo.validate.fix import fix_files
from tests.support.cases import ROOT
from tests.support.cli import aldo

AGENT = (ROOT / "agency" / "agents" / "code-reviewer.yaml").read_text("utf-8")
SAYS = "{ name: says-it, type: contains }"


def linted(folder: Path, text: str, **options: Any) -> LintReport:
    (folder / "suite.yaml").write_text(text, encoding="utf-8")
    return lint(folder / "suite.yaml", **options)


def pointed(report: LintReport, finding: Finding) -> str:
    """The text on the line of a finding that it points at; of several lines the first."""
    file = next(file for file in report.files if file.path == finding.path)
    span = finding.span
    assert span is not None
    line = file.document.lines[span.line - 1]
    return line[span.column - 1 : span.end_column - 1 if span.end_line == span.line else None]


def told(report: LintReport) -> list[tuple[str, str]]:
    return [(finding.code, pointed(report, finding)) for finding in report.findings]


def evaluator(text: str) -> str:
    return changed(SAYS, text, SUITE)


ONE_DEFECT: dict[str, tuple[str, str, str, str]] = {
    "unknown type": (evaluator("{ name: says-it, type: contians, ignore_case: true }"), "AL701", "contians", "'contains'"),
    "type in capitals": (evaluator("{ name: says-it, type: Exact }"), "AL701", "Exact", "'exact'"),
    "type that is no name": (evaluator("{ name: says-it, type: my type }"), "AL701", "my type", "there are contains,"),
    "no type": (evaluator("{ name: says-it, ignore_case: true }"), "AL104", "{ name: says-it, ignore_case: true }", ""),
    "type that is no text": (evaluator("{ name: says-it, type: 3, match: all }"), "AL105", "3", ""),
    "misspelt key of the type": (evaluator("{ name: says-it, typ: exact, match: all }"), "AL103", "typ", "'type'"),
    "misspelt field": (evaluator("{ name: says-it, type: exact, ignorecase: true }"), "AL103", "ignorecase", "'ignore_case'"),
    "field of another type": (evaluator("{ name: says-it, type: exact, rubric: x }"), "AL103", "rubric", "the fields here"),
    "no evaluator": (evaluator("says-it"), "AL105", "says-it", ""),
    "word of YAML 1.1": (evaluator("{ name: says-it, type: exact, ignore_case: yes }"), "AL105", "yes", "write true"),
    "text for a switch": (evaluator('{ name: says-it, type: exact, ignore_case: "true" }'), "AL105", '"true"', ""),
    "nothing to compare with": (evaluator("{ name: says-it, type: contains, ref: [] }"), "AL106", "[]", ""),
    "misspelt key of the name": (evaluator("{ nam: says-it, type: contains }"), "AL103", "nam", "'name'"),
    "no name": (evaluator("{ type: contains }"), "AL104", "{ type: contains }", ""),
    "name that is none": (evaluator("{ name: says it, type: contains }").replace("{ says-it:", "{ says it:"), "AL106", "says it", ""),
    "one verdict": (changed("{ right: 1, wrong: 0 }", "{ right: 1 }", WITH_JUDGE), "AL106", "{ right: 1 }", ""),
    "empty verdict": (changed("{ right: 1, wrong: 0 }", '{ "": 1, wrong: 0 }', WITH_JUDGE), "AL106", '{ "": 1, wrong: 0 }', ""),
    "verdict that is no text": (changed("{ right: 1,", "{ 1: 1, right: 1,", WITH_JUDGE), "AL105", "1", "quotes"),
    "score above 1": (changed("right: 1,", "right: 5,", WITH_JUDGE), "AL106", "5", ""),
    "score that is a text": (changed("right: 1,", "right: '1',", WITH_JUDGE), "AL105", "'1'", ""),
    "judge by model": (changed("capability_class: reasoning-medium", "model: x", WITH_JUDGE), "AL704", "model", "capability_class"),
    "judge by provider, too": (changed("      rubric", "      provider: x\n      rubric", WITH_JUDGE), "AL704", "provider", "capability_class"),
    "near class": (changed("reasoning-medium", "reasoning_medium", WITH_JUDGE), "AL711", "reasoning_medium", "reasoning-medium"),
    "threshold for nobody": (changed("{ says-it: 0.5", "{ say-it: 0.5", SUITE), "AL702", "say-it", "'says-it'"),
    "threshold above 1": (changed("says-it: 0.5", "says-it: 50", SUITE), "AL106", "50", ""),
    "thresholds that are one": (changed("{ says-it: 0.5 }", "0.5", SUITE), "AL105", "0.5", ""),
    "one name twice": (evaluator(SAYS + "\n    - { name: says-it, type: exact }"), "AL706", "says-it", "rename"),
    "one id twice": (changed("id: japan", "id: france", SUITE), "AL705", "france", "rename"),
    "id that is a number": (changed("id: japan", "id: 2", SUITE), "AL105", "2", ""),
    "no ground truth": (changed("      ground_truth: Tokyo\n", "", SUITE), "AL708", "id: japan", "tags"),
    "ground truth that is no text": (changed("Tokyo", "[Tokyo, 3]", SUITE), "AL708", "[Tokyo, 3]", "list of texts"),
    "empty ground truth": (changed("Tokyo", '""', SUITE), "AL708", '""', "list of texts"),
    "look-ahead": (changed('"^[A-Z]"', '["a", "(?=x)"]', WITH_REGEX), "AL707", '"(?=x)"', "look-around"),
    "back-reference": (changed('"^[A-Z]"', "'(a)\\1'", WITH_REGEX), "AL707", "'(a)\\1'", "look-around"),
    "bracket": (changed('"^[A-Z]"', '"["', WITH_REGEX), "AL707", '"["', ""),
    "pattern in a ground truth": (
        evaluator("{ name: says-it, type: regex }\n    - { name: b, type: regex }").replace("Tokyo", "[To, To(kyo]"),
        "AL707", "To(kyo", ""),
    "tag of no case": (evaluator("{ name: says-it, type: contains, tags: [asia, europa] }"), "AL709", "europa", "'europe'"),
    "the only tag": (evaluator("{ name: says-it, type: contains, tags: north }"), "AL709", "north", "looks at nothing"),
    "type of no schema": (changed("object", "objekt", WITH_SCHEMA), "AL710", "objekt", "none of array, boolean"),
    "pattern of no schema": (changed("type: object", "properties: { a: { pattern: '(' } }", WITH_SCHEMA), "AL710", "'('", ""),
    "reference to nothing": (changed("type: object", "items: { $ref: '#/$defs/a' }", WITH_SCHEMA), "AL710", "'#/$defs/a'", ""),
    "reference to elsewhere": (changed("type: object", "$ref: https://example.org/a", WITH_SCHEMA), "AL710", "https://example.org/a", ""),
    "schema that is a text": (changed("{ type: object }", "object", WITH_SCHEMA), "AL710", "object", ""),
    "schema and file": (changed("schema: { type: object }", "schema: {}, ref: a.json", WITH_SCHEMA), "AL106", "{ name: json, type: json-schema, schema: {}, ref: a.json }", ""),
    "no schema": (changed(", schema: { type: object }", "", WITH_SCHEMA), "AL106", "{ name: json, type: json-schema }", ""),
    "misspelt schema": (changed(", schema:", ", shema:", WITH_SCHEMA), "AL103", "shema", "'schema'"),
    "no file of a schema": (changed("schema: { type: object }", "ref: a.json", WITH_SCHEMA), "AL710", "a.json", "relative to the suite"),
    "cases twice": (changed("  evaluators:", "  cases_dataset: a.jsonl\n  evaluators:", SUITE), "AL106", "cases_dataset", "keep one"),
    "no cases": (SUITE[: SUITE.index("  cases:")] + SUITE[SUITE.index("  evaluators:") :], "AL106", "name: capitals", ""),
    "empty cases": (SUITE[: SUITE.index("  cases:")] + "  cases: []\n" + SUITE[SUITE.index("  evaluators:") :], "AL106", "[]", ""),
    "misspelt cases": (changed("  cases:", "  case:", SUITE), "AL103", "case", "'cases'"),
    "no evaluators": (evaluator("").replace("    - \n", "").replace("  evaluators:\n", "") + "", "AL104", "name: capitals", ""),
    "no input": (changed("      input: Which city is the capital of Japan?\n", "", SUITE), "AL104", "id: japan", ""),
    "temperature in quotes": (SUITE + '  temperature: "0.5"\n', "AL105", '"0.5"', ""),
    "temperature that is true": (SUITE + "  temperature: true\n", "AL105", "true", ""),
    "tokens in quotes": (SUITE + '  max_tokens: "9"\n', "AL105", '"9"', ""),
    "version that is a list": ("version: []\n" + SUITE, "AL106", "[]", "")
    ,
    "no header": (changed("schema: aldo-ai/eval.v1\n", "", SUITE), "AL104", "suite:", "aldo-ai/eval.v1"),
    "header of another version": (changed("eval.v1", "eval.v2", SUITE), "AL109", "aldo-ai/eval.v2", "'aldo-ai/eval.v1'"),
    "what another version says of the rest": (changed("eval.v1", "eval.v2", changed("says-it", "b", SUITE)), "AL109", "aldo-ai/eval.v2", ""),
    "header that is none": (changed("aldo-ai/eval.v1", "1", SUITE), "AL109", "1", "aldo-ai/eval.v1"),
    "misspelt header": (changed("schema:", "shema:", SUITE), "AL103", "shema", "'schema'"),
    "a suite that is none": ("schema: aldo-ai/eval.v1\nsuite: 3\n", "AL105", "3", ""),
    "no suite": ("schema: aldo-ai/eval.v1\n", "AL104", "schema: aldo-ai/eval.v1", ""),
    "a key twice": (changed("  name: capitals", "  name: capitals\n  name: cities", SUITE), "AL102", "name", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code", "at", "advises"), ONE_DEFECT.values(), ids=ONE_DEFECT)
def test_one_defect_is_one_finding_at_its_place(tmp_path: Path, text: str, code: str, at: str, advises: str) -> None:
    report = linted(tmp_path, text)
    assert told(report) == [(code, at)]
    (finding,) = report.findings
    assert advises in f"{finding.message} {finding.hint}"
    assert len(finding.message) < 200
    assert report.exit_code == (0 if finding.severity == "warning" else 2 if code == "AL109" else 1)


def test_a_judge_by_model_hides_nothing_else_that_is_missing(tmp_path: Path) -> None:
    text = changed("capability_class: reasoning-medium", "model: x", WITH_JUDGE)
    text = changed("      rubric: Does the answer name the right city?\n", "", text)
    assert told(linted(tmp_path, text)) == [("AL104", "name: useful"), ("AL704", "model")]


def test_the_table_has_every_rule_of_suites_but_that_of_datasets() -> None:
    assert {code for _, code, _, _ in ONE_DEFECT.values()} >= {c for c in all_rules() if c.startswith("AL7")} - {
        "AL703"
    }


def test_the_files_that_ship_have_no_defect() -> None:
    files = [*(ROOT / "suites").glob("*.yaml"), *(ROOT / "agency" / "agents").glob("*.yaml")]
    report = lint(files)
    assert report.findings == ()
    assert {Path(file.path).name for file in report.files} >= {"code-review.jsonl", "code-reviewer.yaml", "smoke.yaml"}


ALL_AT_ONCE = """\
schema: aldo-ai/eval.v1
suite:
  name: all of it
  max_tokens: 0
  cases_dataset: cases.jsonl
  evaluators:
    - { name: a, type: contians }
    - { name: a, type: regex, ref: "(?=x)" }
    - { name: b, type: llm-judge, capability_class: local-reasonin, model: m, rubric: R, choices: { x: 1, y: 0 } }
    - { name: c, type: json-schema, schema: { type: objekt, minimum: x } }
    - { name: d, type: json-schema, ref: d.json }
    - { name: e, type: exact, tags: [t, u] }
    - { name: f, type: script, command: [] }
    - 7
  threshold: { b: 2 }
"""
ALL_ITS_CASES = """\
{"id": "x", "input": "q", "ground_truth": "g", "tags": ["t"]}
{"id": "x", "input": "q", "tags": "t"}
{"input": 3}
{"input": "q" "tags": []}
"""


def all_at_once(folder: Path) -> LintReport:
    (folder / "cases.jsonl").write_text(ALL_ITS_CASES)
    (folder / "d.json").write_text('\ufeff{"a": 1,\n  "b": NaN}')
    return linted(folder, ALL_AT_ONCE)


def test_no_defect_hides_another(tmp_path: Path) -> None:
    report = all_at_once(tmp_path)
    assert told(report) == [
        ("AL106", "all of it"), ("AL106", "0"), ("AL701", "contians"), ("AL706", "a"), ("AL707", '"(?=x)"'),
        ("AL711", "local-reasonin"), ("AL704", "model"), ("AL710", "objekt"), ("AL710", "x"), ("AL710", "d.json"),
        ("AL106", "[]"), ("AL105", "7"), ("AL106", "2"),
        ("AL708", '{"id": "x", "input": "q", "tags": "t"}'), ("AL705", '"x"'), ("AL105", "3"), ("AL101", '"'),
    ]  # fmt: skip
    assert f"{tmp_path / 'd.json'}:2:8 is no JSON: NaN" in report.findings[9].message


def test_mending_one_defect_after_the_other_brings_up_no_new_one(tmp_path: Path) -> None:
    """What is told at first is all there is, but for tags: as long as a case cannot be read it may have them."""
    first = all_at_once(tmp_path)
    (tmp_path / "cases.jsonl").write_text('{"id": "x", "input": "q", "ground_truth": "g", "tags": ["t"]}\n')
    mended = ALL_AT_ONCE
    for old, new in (
        ("all of it", "all"), ("max_tokens: 0", "max_tokens: 1"), ("contians", "contains"), ("name: a, type: regex", "name: g, type: regex"),
        ("(?=x)", "x"), ("local-reasonin,", "local-reasoning,"), (" model: m,", ""), ("objekt, minimum: x", "object"),
        ("command: []", "command: [x]"), ("    - 7\n", ""), ("b: 2", "b: 1"), ("ref: d.json", "schema: true"),
    ):  # fmt: skip
        mended = changed(old, new, mended)
        report = linted(tmp_path, mended)
        assert set(told(report)) <= {*told(first), ("AL709", "u")}
    assert told(report) == [("AL709", "u")]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_of_suite_and_dataset(tmp_path: Path, form: str) -> None:
    shown = render(form, all_at_once(tmp_path))
    assert "AL701" in shown
    assert "cases.jsonl" in shown


def test_json_tells_exact_places_in_both_files(tmp_path: Path) -> None:
    all_at_once(tmp_path)
    run = aldo("lint", "suite.yaml", "--json", cwd=tmp_path)
    value = json.loads(run.stdout)
    assert (run.returncode, value["checked"]["files"]) == (2, 2)
    found = {
        (f["code"], f["path"], f["line"], f["column"], f["endLine"], f["endColumn"], f["pointer"])
        for f in value["findings"]
    }
    assert len(found) == 17
    assert found >= {
        ("AL701", "suite.yaml", 7, 24, 7, 32, "/suite/evaluators/0/type"),
        ("AL704", "suite.yaml", 9, 69, 9, 74, "/suite/evaluators/2/model"),
        ("AL710", "suite.yaml", 10, 53, 10, 59, "/suite/evaluators/3/schema/type"),
        ("AL705", "cases.jsonl", 2, 8, 2, 11, ""),
        ("AL101", "cases.jsonl", 4, 15, 4, 16, ""),
    }
    text = aldo("lint", "suite.yaml", cwd=tmp_path).stdout
    assert "error[AL705] two cases have the id 'x'\n  --> cases.jsonl:2:8" in text
    assert "= see cases.jsonl:1:8: first given here" in text


@pytest.mark.parametrize(
    ("suite", "dataset", "options", "code"),
    [
        (SUITE, None, (), 0),
        (ONE_DEFECT["near class"][0], None, (), 0),
        (ONE_DEFECT["near class"][0], None, ("--strict",), 1),
        (ONE_DEFECT["one id twice"][0], None, (), 1),
        (ONE_DEFECT["one id twice"][0], None, ("--select", "AL3"), 1),  # what stops a load is never left out
        (ONE_DEFECT["one id twice"][0], None, ("--ignore", "AL7"), 1),
        (ONE_DEFECT["near class"][0], None, ("--ignore", "AL7", "--strict"), 0),
        (ONE_DEFECT["near class"][0], None, ("--select", "AL7", "--strict"), 1),
        (ONE_DEFECT["near class"][0], None, ("--select", "AL1", "--strict"), 0),
        (ONE_DEFECT["header of another version"][0], None, (), 2),
        ("schema: aldo-ai/eval.v1\nsuite: [\n", None, (), 2),
        ("", '{"input": "q", "ground_truth": "x"}', (), 0),
        ("", None, (), 1),
        ("", '{"input": 1}', (), 1),
        ("", '{"input": 1', (), 2),
    ],
)
def test_the_exit_code_says_what_came_of_it(
    tmp_path: Path, suite: str, dataset: str | None, options: tuple[str, ...], code: int
) -> None:
    """Without a text the suite has a dataset."""
    named = SUITE[: SUITE.index("  cases:")] + "  cases_dataset: c.jsonl\n" + SUITE[SUITE.index("  evaluators:") :]
    (tmp_path / "suite.yaml").write_text(suite or named)
    if dataset is not None:
        (tmp_path / "c.jsonl").write_text(dataset)
    assert aldo("lint", "suite.yaml", *options, cwd=tmp_path).returncode == code


def test_an_error_of_a_suite_cannot_be_ignored_and_a_warning_can(tmp_path: Path) -> None:
    """What stops a load cannot, of AL709 as of the others."""
    text = changed(SAYS, "{ name: says-it, type: contains, tags: [no] }   # aldo: ignore[AL709] later", SUITE)
    assert [code for code, _ in told(linted(tmp_path, text))] == ["AL709", "AL902"]
    near = changed("reasoning-medium", "reasoning-medum   # aldo: ignore[AL711] of the house", WITH_JUDGE)
    report = linted(tmp_path, near, strict=True)
    assert (report.findings, [finding.code for finding in report.ignored]) == ((), ["AL711"])
    idle = changed("reasoning-medum", "reasoning-medium", near)
    assert told(linted(tmp_path, idle)) == [("AL901", "AL711")]
    assert told(linted(tmp_path, idle, select=["AL1"])) == []


def test_several_files_of_all_kinds_are_checked_in_one_run(tmp_path: Path) -> None:
    files = {
        "models.yaml": MINIMAL,
        "agent.yaml": AGENT,
        "suite.yaml": SUITE,
        "bad.yaml": changed("id: japan", "id: france", SUITE),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    report = lint([tmp_path / name for name in files])
    assert [(f.code, Path(f.path).name) for f in report.findings] == [("AL705", "bad.yaml")]
    assert [Path(file.path).name for file in report.files] == [*files]


def test_a_dataset_of_two_suites_is_told_of_once(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"input": 1}\n')
    text = SUITE[: SUITE.index("  cases:")] + "  cases_dataset: c.jsonl\n" + SUITE[SUITE.index("  evaluators:") :]
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(text)
    report = lint([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert [(f.code, Path(f.path).name) for f in report.findings] == [("AL105", "c.jsonl")]


AGENTS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "near class": (changed("local-reasoning", "local-reasonin", AGENT), [("AL711", "local-reasonin")]),
    "near fallbacks": (changed("[coding-frontier, reasoning-medium]", "[coding-frontir, reasoning_medium, of-the-house]", AGENT),
                       [("AL711", "coding-frontir"), ("AL711", "reasoning_medium")]),
    "one near fallback": (changed("[coding-frontier, reasoning-medium]", "fast-drafts", AGENT), [("AL711", "fast-drafts")]),
    "unknown fields": (changed("role:", "rol:", changed("  fallback:", "  falback:", AGENT)), [("AL103", "rol"), ("AL103", "falback")]),
    "a field beside a near class": (changed("privacy_tier: sensitive", "privacy_tier: secret", changed("local-reasoning", "local-reasonin", AGENT)),
                                    [("AL106", "secret"), ("AL711", "local-reasonin")]),
    "missing field": (changed("privacy_tier: sensitive ", "", AGENT), [("AL104", "version: 1")]),
    "another version": (changed("agent.v1", "agent.v2", AGENT), [("AL109", "version: 1")]),
    "no header": (changed("schema: aldo-ai/agent.v1\n", "", AGENT), [("AL109", "version: 1")]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), AGENTS.values(), ids=AGENTS)
def test_an_agent_is_checked_as_one(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert told(linted(tmp_path, text)) == expected


def test_a_version_of_an_agent_that_is_a_list_is_one_defect(tmp_path: Path) -> None:
    assert told(linted(tmp_path, changed("version: 1", "version: []", AGENT))) == [("AL106", "[]")]


BY_FIX: Mapping[str, tuple[str, str]] = {
    "a key twice": (changed("  name: capitals", "  name: capitals\n  name: cities", SUITE), SUITE),
    "misspelt fields": (changed("name: says-it", "nam: says-it", changed("suite:", "suit:", SUITE)), ""),
    "an idle comment": (changed(SAYS, f"{SAYS}   # aldo: ignore[AL711]", SUITE), SUITE),
    "a word of YAML 1.1": (evaluator("{ name: says-it, type: contains, ignore_case: yes }"), ""),
    "nothing": (SUITE, SUITE),
}


@pytest.mark.parametrize(("text", "expected"), BY_FIX.values(), ids=BY_FIX)
@pytest.mark.parametrize("unsafe", [False, True])
def test_mending_leaves_what_it_should_and_makes_nothing_worse(
    tmp_path: Path, text: str, expected: str, unsafe: bool
) -> None:
    before = linted(tmp_path, text)
    (file,) = fix_files([tmp_path / "suite.yaml"], unsafe=unsafe).files
    after = linted(tmp_path, file.text)
    assert len(after.findings) <= len(before.findings)
    if expected:
        assert file.text == expected or (not unsafe and file.text == text)
    if unsafe:
        assert after.findings == ()


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_a_suite_without_anything_to_mend_is_not_touched(tmp_path: Path, option: str) -> None:
    all_at_once(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    run = aldo("lint", "suite.yaml", option, cwd=tmp_path)
    assert run.returncode in (1, 2)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_mending_tells_of_the_dataset_as_checking_does(tmp_path: Path, option: str) -> None:
    (tmp_path / "c.jsonl").write_text('{"input": 1}\n')
    text = SUITE[: SUITE.index("  cases:")] + "  cases_dataset: c.jsonl\n" + SUITE[SUITE.index("  evaluators:") :]
    (tmp_path / "suite.yaml").write_text(text)
    assert aldo("lint", "suite.yaml", option, cwd=tmp_path).returncode == 1


def test_overlays_are_laid_over_catalogs_and_not_over_suites(tmp_path: Path) -> None:
    for name, text in (
        ("m.yaml", MINIMAL),
        ("o.yaml", OVERLAY + "remove: [gemma]\n"),
        ("s.yaml", changed("id: japan", "id: france", SUITE)),
        ("a.yaml", AGENT),
    ):
        (tmp_path / name).write_text(text)
    report = lint([tmp_path / name for name in ("m.yaml", "s.yaml", "a.yaml")], overlays=[tmp_path / "o.yaml"])
    assert [Path(file.path).name for file in report.files] == ["m.yaml", "o.yaml", "s.yaml", "a.yaml"]
    assert [f.code for f in report.findings if Path(f.path).name == "s.yaml"] == ["AL705"]
    alone = lint(tmp_path / "s.yaml", overlays=[tmp_path / "o.yaml"])
    assert [(f.code, Path(f.path).name) for f in alone.findings] == [("AL705", "s.yaml")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("schema: aldo-ai/evals.v1\nsuite: {}\n", "AL109"),
        ("schema: eval.v1\nsuite: {}\n", "AL109"),
        ("suite: {}\n", "AL104"),
        ("schema: aldo-ai/eval.v1\nsuit: {}\n", "AL103"),
        ("schema: aldo-ai/eval\n", "AL109"),
        ("schema: [aldo-ai/eval.v1]\nsuite: {}\n", "AL109"),
    ],
)
def test_a_file_that_is_nearly_a_suite_is_told_how_a_suite_begins(tmp_path: Path, text: str, code: str) -> None:
    report = linted(tmp_path, text)
    first = report.findings[0]
    assert first.code == code
    assert "suite" in f"{first.message} {first.hint}" or "aldo-ai/eval.v1" in first.hint
    assert "models" not in "".join(f"{f.message} {f.hint}" for f in report.findings)
