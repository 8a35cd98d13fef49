"""`# aldo: ignore[CODE] reason`: findings that the author of a file has seen and keeps.

Behind something on a line it holds for that line; on a line of its own for the next line with content, and
for the whole of a value that begins there. Where that line begins an entry it holds for the whole entry. What
stops a file from loading cannot be ignored, because `load_catalog` would stop all the same.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from aldo._lazy import lazy_pattern
from aldo.catalog.document import Document
from aldo.catalog.edit import line_after, line_start_of
from aldo.errors import Edit, Finding, Fix
from aldo.validate.registry import all_rules
from aldo.validate.rule import Defect
from aldo.validate.subject import Subject

UNUSED = "AL901"
UNKNOWN = "AL902"

_COMMENT = lazy_pattern(r"#[ \t]*aldo:(?P<rest>[^\r\n]*)", re.IGNORECASE)
_IGNORE = lazy_pattern(r"[ \t]*ignore[ \t]*\[(?P<codes>[^\]\r\n]*)\]", re.IGNORECASE)
_HASH = lazy_pattern(r"(?:^|[ \t])#")
_BLANK = lazy_pattern(r"[ \t]*(?:#[^\r\n]*)?")


class Suppression(NamedTuple):
    """One comment, and the lines for which it holds."""

    start: int
    end: int
    codes: dict[str, tuple[int, int]]
    """Each code and where in the text it stands first; empty where the comment is not understood."""
    list_at: tuple[int, int]
    """Where the codes stand, between the brackets."""
    first_line: int
    last_line: int
    used: set[str]
    """The codes that were found where it holds; filled while the findings are gone through."""

    def covers(self, finding: Finding) -> bool:
        span = finding.span
        return span is not None and self.first_line <= span.line <= self.last_line and finding.code in self.codes


def can_be_ignored(code: str, severity: str) -> bool:
    """Not what stops a load, and not what is said of the comments themselves."""
    return not (severity == "error" and code[2:3] in ("1", "6", "7")) and not code.startswith("AL9")


def suppressions(subject: Subject) -> list[Suppression]:
    """Every comment of the file that speaks to aldo."""
    document = subject.document
    if "aldo:" not in document.text.lower() or not document.spans.starts:
        return []
    found = [match for match in _COMMENT.finditer(document.text) if _is_comment(document, match)]
    contents = _contents(document) if found else {}
    return [_suppression(subject, match, contents) for match in found]


def apply(findings: Iterable[Finding], found: list[Suppression]) -> tuple[list[Finding], list[Finding]]:
    """The findings that remain, and those that are ignored. Marks what was used."""
    kept: list[Finding] = []
    ignored: list[Finding] = []
    for finding in findings:
        covering = [one for one in found if one.covers(finding)] if found else []
        if covering and can_be_ignored(finding.code, finding.severity):
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
        idle = [code for code in one.codes if code in applied and code not in one.used]
        idle = [code for code in idle if can_be_ignored(code, rules[code].severity)]
        if not idle:
            continue
        kept = [code for code in one.codes if code not in idle]
        edit = Edit(*one.list_at, ", ".join(kept)) if kept else _without_comment(document.text, one)
        title = f"remove {', '.join(idle)} from the comment" if kept else "remove the comment"
        for code in idle:
            fix = Fix(title, (edit,), safe=True)
            yield Defect((), f"{code} is ignored here, but not found", "remove it", fix=fix, place=one.codes[code])


def unknown(document: Document, found: list[Suppression]) -> Iterator[Defect]:
    """Comments that name no rule, or one that cannot be ignored."""
    rules = all_rules()
    for one in found:
        if not one.codes:
            hint = "write `# aldo: ignore[CODE] reason`"
            yield Defect((), "a comment for aldo that says no code to ignore", hint, place=(one.start, one.end))
        for code, place in one.codes.items():
            if code not in rules:
                told = f"no rule has the code {document.text[slice(*place)]!r}"
                yield Defect((), told, _near(code) + "aldo lint --explain all lists them", place=place)
            elif not can_be_ignored(code, rules[code].severity):
                hint = "correct the comment" if code.startswith("AL9") else "mend it: the file would not load"
                yield Defect((), f"{code} cannot be ignored", hint, place=place)


def _near(code: str) -> str:
    rules = all_rules()
    beginning = [other for other in rules if other.startswith(code)]
    if beginning:
        return f"write whole codes, such as {beginning[0]}; "
    named = [rule.code for rule in rules.values() if rule.name == code.lower()]
    near = named or get_close_matches(code, rules, n=1, cutoff=0.8)
    return f"did you mean {near[0]}? " if near else ""


def _is_comment(document: Document, match: re.Match[str]) -> bool:
    """Whether a comment begins there, or goes on behind another; not where it is a piece of a scalar."""
    text, at = document.text, match.start()
    start = line_start_of(text, at)
    hashes = [start + found.end() - 1 for found in _HASH.finditer(text[start : at + 1])]
    begins = next((hash_at for hash_at in hashes if not _inside_scalar(document, hash_at)), None)
    if begins is None or document.spans.line_column(begins)[0] in document.skipped_lines:
        return False
    # Inside another comment only the exact form counts: people write about it, too.
    return begins == at or (at in hashes and _IGNORE.match(match["rest"]) is not None)


def _inside_scalar(document: Document, at: int) -> bool:
    spans = document.spans
    node = bisect_right(spans.starts, at) - 1
    return node >= 0 and spans.sizes[node] == 1 and spans.ends[node] > at


def _suppression(subject: Subject, match: re.Match[str], contents: Mapping[int, int]) -> Suppression:
    document = subject.document
    ignore = _IGNORE.match(match["rest"])
    codes: dict[str, tuple[int, int]] = {}
    base = match.start("rest")
    list_at = (base + ignore.start("codes"), base + ignore.end("codes")) if ignore is not None else (base, base)
    for word in re.finditer(r"[^,\s]+", document.text[slice(*list_at)]):
        codes.setdefault(word[0].upper(), (list_at[0] + word.start(), list_at[0] + word.end()))
    line, _ = document.spans.line_column(match.start())
    own_line = line not in contents or contents[line] != line
    target = contents.get(line, line) if own_line else line
    first, last = _lines_of(subject, target, own_line=own_line)
    return Suppression(match.start(), match.end(), codes, list_at, line if own_line else first, last, set())


def _contents(document: Document) -> dict[int, int]:
    """For every line the first one from there on that holds more than a comment."""
    lines = document.lines
    found: dict[int, int] = {}
    following = len(lines)
    for number in range(len(lines), 0, -1):
        if not _BLANK.fullmatch(lines[number - 1]):
            following = number
        found[number] = following
    return found


def _lines_of(subject: Subject, line: int, *, own_line: bool) -> tuple[int, int]:
    """The lines of the entry that begins on a line; of the value that begins there; or the line alone."""
    if line in subject.entry_lines:
        return line, subject.entry_lines[line]
    if not own_line or line == subject.line_of_models:
        return line, line
    return line, max(line, subject.document.last_line_of_pair(line))


def _without_comment(text: str, one: Suppression) -> Edit:
    start = line_start_of(text, one.start)
    if text[start : one.start].strip():
        return Edit(start + len(text[start : one.start].rstrip()), one.end, "")
    return Edit(start, line_after(text, one.end), "")
