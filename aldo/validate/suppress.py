"""`# aldo: ignore[CODE] reason`: findings that the author of a file has seen and keeps.

Behind something on a line it holds for that line; on a line of its own for the next line with content.
Where that line begins an entry it holds for the whole entry. What stops a file from loading cannot be
ignored, because `load_catalog` would stop all the same.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aldo.catalog.document import Document
from aldo.catalog.edit import line_start_of
from aldo.errors import Edit, Finding, Fix
from aldo.validate.registry import all_rules
from aldo.validate.rule import Defect
from aldo.validate.subject import Subject

UNUSED = "AL901"
UNKNOWN = "AL902"

_COMMENT = re.compile(r"#[ \t]*aldo:(?P<rest>[^\r\n]*)")
_IGNORE = re.compile(r"[ \t]*ignore\[(?P<codes>[^\]\r\n]*)\]")
_HASH = re.compile(r"(?:^|[ \t])#")
_BLANK = re.compile(r"[ \t]*(?:#[^\r\n]*)?")


@dataclass
class Suppression:
    """One comment, and the lines for which it holds."""

    start: int
    end: int
    codes: dict[str, tuple[int, int]]
    """Each code and where in the text it stands; empty where the comment is not understood."""
    first_line: int
    last_line: int
    used: set[str] = field(default_factory=set)

    def covers(self, finding: Finding) -> bool:
        span = finding.span
        return span is not None and self.first_line <= span.line <= self.last_line and finding.code in self.codes


def stops_a_load(code: str, severity: str) -> bool:
    return severity == "error" and code[2:3] in ("1", "6")


def suppressions(subject: Subject) -> list[Suppression]:
    """Every comment of the file that speaks to aldo."""
    document = subject.document
    if "aldo:" not in document.text or not document.spans.starts:
        return []
    return [_suppression(subject, match) for match in _COMMENT.finditer(document.text) if _is_comment(document, match)]


def apply(findings: Iterable[Finding], found: list[Suppression]) -> tuple[list[Finding], list[Finding]]:
    """The findings that remain, and those that are ignored. Marks what was used."""
    kept: list[Finding] = []
    ignored: list[Finding] = []
    for finding in findings:
        covering = [one for one in found if one.covers(finding)] if found else []
        if covering and not stops_a_load(finding.code, finding.severity):
            for one in covering:
                one.used.add(finding.code)
            ignored.append(finding)
        else:
            kept.append(finding)
    return kept, ignored


def unused(document: Document, found: list[Suppression], applied: frozenset[str]) -> Iterator[Defect]:
    """Codes that were ignored for nothing, of the rules that were applied."""
    rules = all_rules()
    for one in found:
        idle = [
            code
            for code in one.codes
            if code in applied and code not in one.used and not stops_a_load(code, rules[code].severity)
        ]
        whole = len(idle) == len(one.codes)
        for code in idle:
            edit = _without_comment(document.text, one) if whole else _without_code(document.text, one, code)
            title = "remove the comment" if whole else f"remove {code} from the comment"
            fix = Fix(title, (edit,), safe=True)
            yield Defect((), f"{code} is ignored here, but not found", "remove it", fix=fix, place=one.codes[code])


def unknown(found: list[Suppression]) -> Iterator[Defect]:
    """Comments that name no rule, or one that cannot be ignored."""
    rules = all_rules()
    for one in found:
        if not one.codes:
            hint = "write `# aldo: ignore[CODE] reason`"
            yield Defect((), "a comment for aldo that says no code to ignore", hint, place=(one.start, one.end))
        for code, place in one.codes.items():
            if code not in rules:
                yield Defect((), f"no rule has the code {code!r}", "aldo lint --explain all lists them", place=place)
            elif stops_a_load(code, rules[code].severity):
                hint = "mend it: the file would not load"
                yield Defect((), f"{code} cannot be ignored", hint, place=place)


def _is_comment(document: Document, match: re.Match[str]) -> bool:
    """Whether a comment begins there, and not a piece of a scalar or of another comment."""
    text, at = document.text, match.start()
    line_start = line_start_of(text, at)
    hashes = [line_start + found.end() - 1 for found in _HASH.finditer(text[line_start : at + 1])]
    begins = next((hash_at for hash_at in hashes if not _inside_scalar(document, hash_at)), None)
    return begins == at


def _inside_scalar(document: Document, at: int) -> bool:
    spans = document.spans
    node = bisect_right(spans.starts, at) - 1
    return node >= 0 and spans.sizes[node] == 1 and spans.ends[node] > at


def _suppression(subject: Subject, match: re.Match[str]) -> Suppression:
    document = subject.document
    text = document.text
    ignore = _IGNORE.match(match["rest"])
    codes: dict[str, tuple[int, int]] = {}
    if ignore is not None:
        base = match.start("rest") + ignore.start("codes")
        for word in re.finditer(r"[^,\s]+", ignore["codes"]):
            codes[word[0].upper()] = (base + word.start(), base + word.end())
    line, column = document.spans.line_column(match.start())
    line_start = match.start() - column + 1
    if not text[line_start : match.start()].strip():
        line = _next_content(document, line)
    first, last = _entry_lines(subject, line)
    return Suppression(match.start(), match.end(), codes, first, last)


def _next_content(document: Document, line: int) -> int:
    """The line after this one that holds more than a comment."""
    lines = document.lines
    following = (number for number in range(line, len(lines)) if not _BLANK.fullmatch(lines[number]))
    return next(following, line - 1) + 1


def _entry_lines(subject: Subject, line: int) -> tuple[int, int]:
    """The lines of the entry that begins on this line, or the line alone."""
    starts = subject.entry_lines
    return (line, starts[line]) if line in starts else (line, line)


def _without_comment(text: str, one: Suppression) -> Edit:
    line_start = line_start_of(text, one.start)
    if text[line_start : one.start].strip():
        return Edit(line_start + len(text[line_start : one.start].rstrip()), one.end, "")
    line_end = re.compile(r"\r\n|\r|\n|\Z").search(text, one.end)
    assert line_end is not None
    return Edit(line_start, line_end.end(), "")


def _without_code(text: str, one: Suppression, code: str) -> Edit:
    start, end = one.codes[code]
    after = re.compile(r"[ \t]*,[ \t]*").match(text, end)
    if after is not None:
        return Edit(start, after.end(), "")
    before = re.compile(r",[ \t]*\Z").search(text, one.start, start)
    return Edit(before.start() if before else start, end, "")
