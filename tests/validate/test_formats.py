"""The six formats: each valid by its own schema, all telling of the same findings, none carrying what could do harm."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft7Validator, FormatChecker

from aldo.errors import CatalogError
from aldo.validate import FORMATS, LintReport, all_rules, lint, render
from aldo.validate.example import ENTRY, HEADER, MINIMAL, changed, configured
from aldo.validate.fix import fix_files
from tests.support.cases import CASES
from tests.support.cli import aldo
from tests.support.defects import IDS, STRUCTURE, SYNTAX, Defect, catalog

TODAY = datetime.date(2026, 11, 22)
SCHEMAS = Path(__file__).parents[1] / "support" / "schemas"
TEN = f"""\
{HEADER}\
  - id: one
    provider: mlx
    providerKind: mlx
    provider: mlx
    locality: lcal
    capabilityClass: local-reasoning
    provides: [streaming, streeming]
    privacyAllowed: [public, sensitive]
    effectiveContextTokens: "32768"
    cost: {{ usdPerMtokIn: 0 }}
    flavour: mint
  - id: two
    provider: NO
    providerKind: openai-compat
    locality: cloud
    capabilityClass: local-reasoning
    provides: [streaming]
    privacyAllowed: [public, sensitive]
    effectiveContextTokens: 32768
    cost: {{ usdPerMtokIn: 3, usdPerMtokOut: 2 }}  # aldo: ignore[AL403] the provider says so
    providerConfig: {{ baseUrl: http://models.example/v1, headers: {{ Authorization: Bearer abcdefgh12345678 }} }}
    asOf: 2025-01-01  # aldo: ignore[AL404] nothing of the kind is here
  - id: two
    provider: ollama  # aldo: ignore[AL999] no such rule
    providerKind: openai-compat
    locality: local
    capabilityClass: local-reasoning
    provides: [streaming]
    privacyAllowed: [public, internal, sensitive]
    effectiveContextTokens: 32768
    cost: {{ usdPerMtokIn: 0, usdPerMtokOut: 0 }}
"""
NAMES = [
    "with space.yaml",
    "ünï-名前.yaml",
    "q'uo\"te.yaml",
    "50%.yaml",
    "per%20cent%2F.yaml",
    "hash#1.yaml",
    "what?now=1.yaml",
    "comma,colon:semi;.yaml",
    "line\nfeed.yaml",
    "return\r.yaml",
    "back\\slash.yaml",
    "bracket[1].yaml",
    "esc\x1b[31mred.yaml",
    "del\x7fc1\x9b31m.yaml",
    "bidi\u202egnp.yaml",
    "]]>.yaml",
    "<b>&amp;.yaml",
    "::set-output name=x::y.yaml",
    "-dash.yaml",
    "~tilde.yaml",
    "not-utf8-\udcff.yaml",
]


class Told(NamedTuple):
    """What a format says of one finding."""

    path: str
    line: int | None
    code: str


def sarif_problems(text: str) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in _sarif().iter_errors(json.loads(text))]


@cache
def _sarif() -> Draft4Validator:
    checker = FormatChecker()
    assert {"uri", "uri-reference", "date-time"} - set(checker.checkers) <= {"date-time"}, "install rfc3986-validator"
    return Draft4Validator(json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text("utf-8")), format_checker=checker)


@cache
def _gitlab() -> Draft7Validator:
    return Draft7Validator(json.loads((SCHEMAS / "gitlab-codequality.json").read_text("utf-8")))


@cache
def _junit() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))


def problems(report: LintReport, *, rules: bool = True) -> list[str]:
    """What the published schemas find wrong with the reports. Without `rules` it looks at what varies alone."""
    sarif = json.loads(render("sarif", report))
    if not rules:
        del sarif["runs"][0]["tool"]["driver"]["rules"]
    gitlab = [f"{e.json_path}: {e.message[:200]}" for e in _gitlab().iter_errors(json.loads(render("gitlab", report)))]
    junit = [str(error.reason) for error in _junit().iter_errors(ElementTree.fromstring(render("junit", report)))]
    return sarif_problems(json.dumps(sarif)) + gitlab + junit


def from_text(text: str) -> list[Told]:
    heads = re.findall(r"^(?:error|warning|info)\[(AL\d{3})\] .*\n  --> (.*)$", text, re.MULTILINE)
    places = [re.fullmatch(r"(.*?)(?::(\d+):\d+)?", place) for _, place in heads]
    return [Told(m[1], int(m[2]) if m[2] else None, c) for (c, _), m in zip(heads, places, strict=True) if m]


def from_json(text: str) -> list[Told]:
    return [Told(f["path"], f["line"], f["code"]) for f in json.loads(text)["findings"]]


def from_sarif(text: str) -> list[Told]:
    places = [
        (result["ruleId"], result["locations"][0]["physicalLocation"])
        for result in json.loads(text)["runs"][0]["results"]
        if not result.get("suppressions")
    ]
    return [
        Told(unquote(place["artifactLocation"]["uri"]), place.get("region", {}).get("startLine"), code)
        for code, place in places
    ]


def github_commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands in a log, as the runner documents to read them: level, properties, message."""

    def read(value: str, escapes: dict[str, str]) -> str:
        for escape, meant in escapes.items():
            value = value.replace(escape, meant)
        return value.replace("%25", "%")

    data = {"%0D": "\r", "%0A": "\n"}
    found = []
    for line in text.split("\n"):
        command = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
        if command:
            pairs = (pair.partition("=") for pair in command[2].split(","))
            given = {name: read(value, data | {"%3A": ":", "%2C": ","}) for name, _, value in pairs}
            found.append((command[1], given, read(command[3], data)))
    return found


def from_github(text: str) -> list[Told]:
    return [
        Told(given["file"], int(given["line"]) if "line" in given else None, given["title"].split()[0])
        for _, given, _ in github_commands(text)
    ]


def from_junit(text: str) -> list[Told]:
    cases = [
        (case.get("classname", ""), case.get("name", "")) for case in ElementTree.fromstring(text).iter("testcase")
    ]
    read = [(path, re.fullmatch(r"(AL\d{3})(?: at (\d+):\d+)?", name)) for path, name in cases]
    return [Told(path, int(m[2]) if m[2] else None, m[1]) for path, m in read if m]


def from_gitlab(text: str) -> list[Told]:
    return [
        Told(issue["location"]["path"], issue["location"]["lines"]["begin"], issue["check_name"].split()[0])
        for issue in json.loads(text)
    ]


READERS: dict[str, Callable[[str], list[Told]]] = {
    "text": from_text, "json": from_json, "sarif": from_sarif, "github": from_github, "junit": from_junit, "gitlab": from_gitlab,
}  # fmt: skip


def _linted(folder: Path, text: str, name: str = "models.yaml") -> LintReport:
    (folder / name).write_text(text, "utf-8", newline="")
    return lint([name], today=TODAY)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own directory, in which it also runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("formats")


def test_the_checks_of_the_schemas_can_fail() -> None:
    report = json.loads(render("sarif", lint([CASES / "catalogs" / "ten-defects.yaml"], today=TODAY)))
    assert sarif_problems(json.dumps(report)) == []
    report["runs"][0]["artifacts"][0]["location"]["uri"] = "with space"
    assert len(sarif_problems(json.dumps(report))) == 1
    assert len(list(_junit().iter_errors(ElementTree.fromstring("<testsuites><testsuite/></testsuites>")))) > 0


def test_reports_on_a_file_of_many_defects_are_valid_by_their_schemas(here: Path) -> None:
    report = _linted(here, TEN)
    codes = {finding.code for finding in report.findings}
    assert len(codes) >= 10
    assert {finding.code for finding in report.ignored} == {"AL403"}
    assert any(finding.related for finding in report.findings)
    assert {finding.fix_kind for finding in report.findings} == {"safe", "unsafe", "none"}
    assert problems(report) == []


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_file_name_survives_in_valid_reports(here: Path, name: str) -> None:
    report = _linted(here, TEN, name)
    assert problems(report) == []
    assert {told.path for told in from_sarif(render("sarif", report))} in ({name}, {name.replace("\udcff", "\ufffd")})
    for form in FORMATS:
        render(form, report).encode("utf-8", "replace")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_file_name_leaves_every_output_printable(here: Path, name: str) -> None:
    report = _linted(here, TEN, name)
    assert {form: unprintable(render(form, report)) for form in FORMATS} == {form: set() for form in FORMATS}


def unprintable(text: str) -> set[str]:
    """Characters that a terminal might act on. A lone surrogate is what Python makes of a byte that is no UTF-8."""
    return {c for c in text if not c.isprintable() and c != "\n" and not "\udc80" <= c <= "\udcff"}


@pytest.mark.parametrize(
    "name", ["plain.yaml", "with space.yaml", "hash#1.yaml", "50%.yaml", "100%25%0A%3A.yaml", "comma,colon:semi;.yaml"]
)
def test_the_file_of_a_github_command_is_the_file(here: Path, name: str) -> None:
    report = _linted(here, TEN, name)
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
    _agree(report)


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


def test_json_has_exactly_the_promised_shape(here: Path) -> None:
    report = _linted(here, TEN)
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
    report = _linted(here, TEN)
    results = json.loads(render("sarif", report))["runs"][0]["results"]
    assert report.ignored
    assert len(results) == len(report.findings)
    assert sum("fixes" in result for result in results) == sum(f.fix is not None for f in report.findings)
    related = {r["ruleId"] for r in results if "relatedLocations" in r}
    assert related == {finding.code for finding in report.findings if finding.related}
    rules = json.loads(render("sarif", report))["runs"][0]["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)


def test_the_replacements_of_a_sarif_fix_are_the_edits_of_the_fix(here: Path) -> None:
    report = _linted(here, TEN)
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
    first = json.loads(render("gitlab", _linted(here, TEN)))
    moved = json.loads(render("gitlab", _linted(here, f"# one\n# two\n\n{TEN}")))
    prints = [issue["fingerprint"] for issue in first]
    assert len(set(prints)) == len(prints)
    assert {issue["fingerprint"] for issue in moved} == set(prints)


def test_fingerprints_do_not_depend_on_how_a_file_below_the_working_directory_is_named(here: Path) -> None:
    plain = json.loads(render("gitlab", _linted(here, TEN)))
    for name in ("./models.yaml", here / "models.yaml"):
        assert json.loads(render("gitlab", lint([name], today=TODAY))) == plain


def _agree(report: LintReport) -> None:
    """Every format tells of the report's findings, each with its code and line, in the same order."""
    wanted = [(finding.span and finding.span.line, finding.code) for finding in report.findings]
    for form, reader in READERS.items():
        told = [(one.line, one.code) for one in reader(render(form, report))]
        # GitLab wants a line even of a file that has none.
        assert told == ([(line or 1, code) for line, code in wanted] if form == "gitlab" else wanted), form


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
    _agree(lint([file], today=TODAY))


HOSTILE = [
    "\x1b[31mred\x1b[0m", "\x1b]8;;http://x\x07link\x1b]8;;\x07", "\x9b31m", "\x00", "\x07\x08", "\x7f", "\r", "\r\n", "\n", "\u2028", "\u2029", "\x85",
    "\n::set-output name=x::y", "\n::error file=x::y", "::stop-commands::t", "%0A::warning::z", "]]>", "<![CDATA[", "<script>alert(1)</script>",
    "&lt;&#27;", "--><!--", "\u202eevil", "\u2066iso\u2069", "\u200b\u200d\ufeff", "\ufffe", "\uffff", "'", '"', "\\x1b", "%s{0}{x}", "`$(id)`", "🦊",
]  # fmt: skip
_pieces = st.lists(st.sampled_from([*HOSTILE, "a", "Z", " ", "-", "é", "名"]), min_size=1, max_size=5).map("".join)


def _quoted(text: str) -> str:
    """As a double-quoted scalar, in which every character can be written."""
    written = {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(written.get(c) or (c if " " <= c <= "~" else f"\\U{ord(c):08x}") for c in text) + '"'


PLACES = {
    "id": lambda q: changed("id: qwen", f"id: {q}"),
    "second id": lambda q: changed("id: qwen", f"id: {q}").replace("id: gemma", f"id: {q}"),
    "key": lambda q: changed("    provider: mlx\n", f"    provider: mlx\n    {q}: 1\n"),
    "key twice": lambda q: configured(f"{{ headers: {{ {q}: a, {q}: b }} }}"),
    "class": lambda q: changed("capabilityClass: local-reasoning", f"capabilityClass: {q}"),
    "tag": lambda q: changed("[streaming, tool-use]", f"[streaming, {q}]"),
    "tier": lambda q: changed("[public, internal, sensitive]", f"[public, {q}]"),
    "locality": lambda q: changed("locality: local", f"locality: {q}"),
    "number": lambda q: changed("effectiveContextTokens: 32768", f"effectiveContextTokens: {q}"),
    "kind": lambda q: changed("providerKind: mlx", f"providerKind: {q}"),
    "base URL": lambda q: configured(f"{{ baseUrl: {q} }}"),
    "knob": lambda q: configured(f"{{ extra: {{ {q}: 1 }} }}"),
    "knob value": lambda q: configured(f"{{ extra: {{ samplerSeed: {q} }} }}"),
    "header value": lambda q: configured(f"{{ headers: {{ Authorization: {q} }} }}"),
    "variable": lambda q: configured(f"{{ apiKeyEnv: {q} }}"),
    "apiVersion": lambda q: changed("apiVersion: aldo/models.v1", f"apiVersion: {q}"),
    "section": lambda q: f"{MINIMAL}{q}: 1\n",
    "vocabulary": lambda q: f"{MINIMAL}vocabulary: {{ capabilities: [{q}] }}\n",
    "networks": lambda q: f"{MINIMAL}routing: {{ localNetworks: [{q}] }}\n",
    "replacement": lambda q: changed(
        "    provider: mlx\n", f"    provider: mlx\n    deprecation: {{ date: 2026-12-24, replacement: {q} }}\n"
    ),
    "source": lambda q: changed("    provider: mlx\n", f"    provider: mlx\n    asOf: 2020-01-01\n    source: {q}\n"),
    "tag of YAML": lambda q: changed("provider: mlx", f"provider: !<tag:{q[1:-1].replace(' ', '%20')}> mlx"),
}


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(list(PLACES)), text=_pieces)
def test_no_text_of_a_catalog_can_steer_a_terminal_a_runner_or_a_parser(scratch: Path, place: str, text: str) -> None:
    with contextlib.chdir(scratch):
        file = Path("hostile.yaml")
        file.write_text(PLACES[place](_quoted(text)), "utf-8")
        _harmless(lint([file], today=TODAY))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_pieces, at=st.integers(0, len(MINIMAL)))
def test_no_raw_text_between_the_lines_can_either(scratch: Path, text: str, at: int) -> None:
    with contextlib.chdir(scratch):
        file = Path("raw.yaml")
        file.write_text(MINIMAL[:at] + text + MINIMAL[at:], "utf-8", newline="")
        _harmless(lint([file], today=TODAY))


def _harmless(report: LintReport) -> None:
    for form in FORMATS:
        out = render(form, report)
        assert not unprintable(out), (form, unprintable(out))
        commands = [line for line in out.split("\n") if line.lstrip().startswith("::")]
        assert len(commands) == (len(report.findings) if form == "github" else 0), (form, commands)
    _agree(report)
    assert problems(report, rules=False) == []


SECRET = "s3cr3tV4lue99"
KEYS = [
    "sk-proj-abcdefGHIJKL0123456789", "sk-ant-api03-AbCdEf0123456789_-xyzXYZ", "gsk_abcdefghij0123456789ABCDEF", "hf_AbCdEfGhIjKlMnOpQrStUvWx",
    "xai-abcdefghij0123456789ABCDEF", "AIzaSyA0123456789abcdefghijklmnopqrstuv", "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "github_pat_11ABCDEFG0abcdefghij_0123456789", "glpat-abcdefghij0123456789", "xoxb-123456789012-abcdefghij", "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
]  # fmt: skip
KEY_PLACES: dict[str, Callable[[str], str]] = {
    "id": lambda s: changed("id: qwen", f"id: {s}"),
    "duplicate id": lambda s: changed("id: qwen", f"id: {s}").replace("id: gemma", f"id: {s}"),
    "key": lambda s: changed("    provider: mlx\n", f"    provider: mlx\n    {s}: x\n"),
    "class": lambda s: changed("capabilityClass: local-reasoning", f"capabilityClass: {s}"),
    "tag": lambda s: changed("[streaming, tool-use]", f"[streaming, {s}]"),
    "number": lambda s: changed("effectiveContextTokens: 32768", f"effectiveContextTokens: {s}"),
    "base URL": lambda s: configured(f"{{ baseUrl: {s} }}"),
    "knob": lambda s: configured(f"{{ extra: {{ {s}: 1 }} }}"),
    "knob value": lambda s: configured(f"{{ extra: {{ samplerSeed: {s} }} }}"),
    "model": lambda s: configured(f"{{ model: {s}, baseURL: x }}"),
    "comment": lambda s: changed("locality: local", f"locality: lcal  # key {s}"),
    "comment above": lambda s: changed("    provider: mlx\n", f"    # {s}\n    provider: NO\n"),
    "broken line": lambda s: changed("provider: mlx", f"provider: '{s}' mlx"),
    "unfinished": lambda s: changed("provider: mlx", f"provider: [{s}"),
    "section": lambda s: f"{MINIMAL}{s}: 1\n",
    "apiVersion": lambda s: changed("aldo/models.v1", s),
    "document": lambda s: s,
    "second document": lambda s: f"{MINIMAL}--- {s}\n",
    "alias": lambda s: changed("provider: mlx", f"provider: *{s}"),
    "YAML tag": lambda s: changed("provider: mlx", f"provider: !{s} mlx"),
    "replacement": lambda s: changed(
        "    provider: mlx\n", f"    provider: mlx\n    deprecation: {{ date: 2026-12-24, replacement: {s} }}\n"
    ),
    "suppression": lambda s: changed("provider: mlx", f"provider: mlx  # aldo: ignore[{s}] x"),
}
NAMED = {
    "Authorization: Token": configured(f"{{ headers: {{ Authorization: Token {SECRET} }}, baseURL: x }}"),
    "X-Api-Key": configured(f"{{ headers: {{ X-Api-Key: {SECRET} }}, baseURL: x }}"),
    "X-Api-Key, a number": configured("{ headers: { X-Api-Key: 918273645546 } }"),
    "block scalar": configured(
        f"\n      headers:\n        Authorization: |\n          Token {SECRET}\n      baseURL: x"
    ),
    "the second of two equal headers": configured(f"{{ headers: {{ X-Api-Key: {SECRET}A, X-Api-Key: {SECRET} }} }}"),
    "headers as a list": configured(f"{{ headers: ['X-Api-Key: {SECRET}'] }}"),
    "headers as a text": configured(f"{{ headers: 'X-Api-Key: {SECRET}' }}"),
    "misspelt providerConfig": changed(
        "    provider: mlx\n", f"    provider: mlx\n    provider_config: {{ headers: {{ X-Api-Key: {SECRET} }} }}\n"
    ),
    "misspelt headers": configured(f"{{ Headers: {{ X-Api-Key: {SECRET} }} }}"),
    "apiKey of an entry": changed("    provider: mlx\n", f"    provider: mlx\n    apiKey: {SECRET}\n"),
    "apiKey of the configuration": configured(f"{{ apiKey: {SECRET} }}"),
    "apiKey of the file": f"{MINIMAL}apiKey: {SECRET}\n",
    "a section of defaults": f"{MINIMAL}defaults: {{ headers: {{ Authorization: Token {SECRET} }} }}\n",
    "nested knob": configured(f"{{ extra: {{ auth: {{ password: {SECRET} }} }} }}"),
    "comment": changed("locality: local", f"locality: lcal  # Authorization: Token {SECRET}"),
    "beside a syntax error": configured(f"{{ headers: {{ Authorization: 'Token {SECRET}' x }} }}"),
    "user and password": configured(f"{{ baseUrl: 'https://user:{SECRET}@host.example/v1' }}"),
    "user and password of another scheme": configured(f"{{ baseUrl: 'ftp://user:{SECRET}@host.example/v1' }}"),
    "password with an @": configured(f"{{ baseUrl: 'https://user:p@{SECRET}@host.example/v1' }}"),
    "user alone": configured(f"{{ baseUrl: 'https://{SECRET}@host.example/v1' }}"),
    "password in a long text": changed("aldo/models.v1", f"https://user:{SECRET}{'y' * 60}@host.example"),
    "query": configured(f"{{ baseUrl: 'https://host.example/v1?api_key={SECRET}' }}"),
    "apiKeyEnv": configured(f"{{ apiKeyEnv: {SECRET}-plain, baseURL: x }}"),
}


def _shown(folder: Path, text: str) -> dict[str, str]:
    """All that aldo says of a catalog, by where it says it."""
    file = folder / "secret.yaml"
    file.write_text(text, "utf-8")
    report = lint([file], today=TODAY)
    said = {form: render(form, report) for form in FORMATS}
    for unsafe in (False, True):
        fixed = fix_files([file], unsafe=unsafe, today=TODAY)
        said[f"diff, {unsafe=}"] = "".join(one.diff() for one in fixed.files)
        told = [f for one in fixed.files for f in (*one.made, *one.undone)]
        said[f"fix, {unsafe=}"] = "\n".join(finding.fix.title for finding in told if finding.fix)
    from aldo import load_catalog

    try:
        load_catalog(file)
    except CatalogError as error:
        said["load"] = f"{error}\n{json.dumps(error.to_dict())}\n" + "\n".join(map(str, error.findings))
    return said


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(list(KEY_PLACES)), key=st.sampled_from(KEYS))
def test_no_key_by_its_shape_is_ever_shown_in_full(scratch: Path, place: str, key: str) -> None:
    assert [where for where, said in _shown(scratch, KEY_PLACES[place](key)).items() if key in said] == []


@pytest.mark.parametrize("text", NAMED.values(), ids=list(NAMED))
def test_no_secret_by_its_name_or_place_is_ever_shown_in_full(tmp_path: Path, text: str) -> None:
    said = _shown(tmp_path, text)
    assert [where for where, all_of_it in said.items() if SECRET in all_of_it or "918273645546" in all_of_it] == []


@pytest.mark.parametrize(
    "place", ["apiKey of an entry", "misspelt providerConfig", "nested knob", "a section of defaults"]
)
def test_a_secret_is_found_wherever_it_stands(tmp_path: Path, place: str) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text(NAMED[place], "utf-8")
    assert "AL304" in {finding.code for finding in lint([file], today=TODAY).findings}


def test_a_broken_catalog_with_a_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(
        HEADER + ENTRY.replace("id: qwen", f"id: [{KEYS[0]}]").replace("locality: local", f"locality: {KEYS[0]}")
    )
    request = ("--class", "local-reasoning", "--privacy", "public", "--catalog", str(file))
    for extra in ((), ("--json",)):
        done = aldo("route", *request, *extra)
        assert done.returncode == 2
        assert KEYS[0] not in done.stdout + done.stderr


def test_reports_are_written_whatever_bytes_a_file_name_has(tmp_path: Path) -> None:
    name = os.fsdecode(b"not-utf8-\xff.yaml")
    (tmp_path / name).write_text(TEN, "utf-8")
    outputs = [option for form in FORMATS for option in ("--output", f"{form}=out.{form}")]
    done = aldo("lint", "--today", str(TODAY), "--statistics", *outputs, name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    for form in FORMATS:
        READERS[form]((tmp_path / f"out.{form}").read_text("utf-8"))


@pytest.mark.parametrize(
    "config",
    [
        "{ baseUrl: 'https://h/v1?key=0f1e2d3c4b5a6978' }",
        "{ baseUrl: 'https://h/v1?sig=0f1e2d3c4b5a6978' }",
        "{ baseUrl: 'bob:0f1e2d3c4b5a6978@api.example.com/v1' }",
        "{ baseUrl: '//bob:0f1e2d3c4b5a6978@h' }",
        "{ headers: { Ocp-Apim-Subscription-Key: 0f1e2d3c4b5a6978 } }",
        "{ headers: { X-Auth: 0f1e2d3c4b5a6978, X-Functions-Key: 0f1e2d3c4b5a6978 } }",
    ],
)
def test_keys_in_queries_and_under_uncommon_names_are_found_and_not_shown(here: Path, config: str) -> None:
    report = _linted(here, configured(config))
    assert "AL304" in {finding.code for finding in report.findings}
    for form in FORMATS:
        assert "0f1e2d3c4b5a6978" not in render(form, report)
