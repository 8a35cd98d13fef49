"""Findings for a person: place, code, message, the line with a caret, the hint, and a summary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from aldo.errors import Finding, Span, printable
from aldo.validate.lint import LintReport

Paint = Callable[[str, str], str]
"""Takes a text and the name of a style (error, warning, info, dim, hint); gives the text to print."""

WIDEST = 100
_LINE_END = re.compile(r"\r\n|\r|\n")  # as editors count; str.splitlines breaks at form feeds and more


def plain(text: str, _style: str) -> str:
    return text


def render_text(report: LintReport, paint: Paint = plain) -> str:
    """The report as text that ends in a newline."""
    lines = {path: _LINE_END.split(text) for path, text in report.texts.items()}
    blocks = [frame(finding, lines.get(finding.path, []), paint) for finding in report.findings]
    return "".join(f"{block}\n\n" for block in blocks) + _summary(report, paint) + "\n"


def frame(finding: Finding, source: list[str], paint: Paint = plain) -> str:
    """One finding as a block of lines, with the line of the file's `source` that it is on."""
    head = f"{paint(finding.severity, finding.severity)}[{finding.code}] {printable(finding.message)}"
    lines = [head, paint(f"  --> {printable(finding.place)}", "dim")]
    if finding.span and finding.span.line <= len(source):
        lines += _code_frame(finding.span, source[finding.span.line - 1], paint)
    for other in finding.related:
        place = f"{other.path}:{other.span.line}:{other.span.column}" if other.span else other.path
        lines.append(paint(f"   = see {printable(place)}: {printable(other.message)}", "dim"))
    if finding.hint:
        lines.append(f"   = {paint('help', 'hint')}: {printable(finding.hint)}")
    return "\n".join(lines)


def _code_frame(span: Span, line: str, paint: Paint) -> Iterator[str]:
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    first = max(0, start - WIDEST // 2) if len(line) > WIDEST else 0
    shown = printable(line[first : first + WIDEST].replace("\t", " "))
    carets = "^" * max(1, min(end, first + WIDEST) - start)
    number = str(span.line)
    margin = " " * len(number)
    yield paint(f" {margin} |", "dim")
    yield paint(f" {number} | ", "dim") + shown
    yield paint(f" {margin} | ", "dim") + " " * (start - first) + paint(carets, "error")


def _summary(report: LintReport, paint: Paint) -> str:
    counts = {
        severity: sum(f.severity == severity for f in report.findings) for severity in ("error", "warning", "info")
    }
    found = ", ".join(_count(n, kind) for kind, n in counts.items() if n)
    checked = (
        f"{_count(report.files, 'file')}, {_count(report.entries, 'entry')}, {_count(report.rules, 'rule')} checked"
    )
    return f"{paint(found, 'error')} ({checked})" if found else f"{paint('No findings', 'ok')} ({checked})"


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"
