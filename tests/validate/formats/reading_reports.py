"""The six formats read again: by their published schemas, and as what they tell of the findings."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree

import xmlschema
from jsonschema import Draft4Validator, Draft7Validator, FormatChecker

from aldo.validate import LintReport, lint, render
from aldo.validate.example import HEADER

TODAY = datetime.date(2026, 11, 22)
SCHEMAS = Path(__file__).parents[2] / "support" / "schemas"
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
def junit_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))


def problems(report: LintReport, *, rules: bool = True) -> list[str]:
    """What the published schemas find wrong with the reports. Without `rules` it looks at what varies alone."""
    sarif = json.loads(render("sarif", report))
    if not rules:
        del sarif["runs"][0]["tool"]["driver"]["rules"]
    gitlab = [f"{e.json_path}: {e.message[:200]}" for e in _gitlab().iter_errors(json.loads(render("gitlab", report)))]
    junit = [str(error.reason) for error in junit_schema().iter_errors(ElementTree.fromstring(render("junit", report)))]
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


def linted(folder: Path, text: str, name: str = "models.yaml") -> LintReport:
    (folder / name).write_text(text, "utf-8", newline="")
    return lint([name], today=TODAY)


def unprintable(text: str) -> set[str]:
    """Characters that a terminal might act on. A lone surrogate is what Python makes of a byte that is no UTF-8."""
    return {c for c in text if not c.isprintable() and c != "\n" and not "\udc80" <= c <= "\udcff"}


def agree(report: LintReport) -> None:
    """Every format tells of the report's findings, each with its code and line, in the same order."""
    wanted = [(finding.span and finding.span.line, finding.code) for finding in report.findings]
    for form, reader in READERS.items():
        told = [(one.line, one.code) for one in reader(render(form, report))]
        # GitLab wants a line even of a file that has none.
        assert told == ([(line or 1, code) for line, code in wanted] if form == "gitlab" else wanted), form
