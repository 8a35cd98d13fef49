"""Findings for a person: place, code, message, the line with a caret, the hint, and a summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unicodedata import combining, east_asian_width

from aldo.errors import Finding, Span, printable
from aldo.validate.outcome import LintReport

Paint = Callable[[str, str], str]
"""Takes a text and the name of a style (error, warning, info, dim, hint, ok); gives the text to print."""

WIDEST = 100


def plain(text: str, _style: str) -> str:
    return text


def render(report: LintReport, paint: Paint = plain) -> str:
    """The report as text that ends in a newline."""
    blocks = []
    linked: set[str] = set()
    for file in report.files:
        lines = file.document.shown_lines if file.findings else []
        for finding in file.findings:
            blocks.append(frame(finding, lines, paint, link=finding.code not in linked))
            linked.add(finding.code)
    return "".join(f"{block}\n\n" for block in blocks) + summary(report, paint) + "\n"


def frame(finding: Finding, source: list[str], paint: Paint = plain, *, link: bool = False) -> str:
    """One finding as a block of lines, with the line of the file's `source` that it is on."""
    head = f"{paint(finding.severity, finding.severity)}[{finding.code}] {printable(finding.message)}"
    lines = [head, paint(f"  --> {printable(finding.place)}", "dim")]
    if finding.span and finding.span.line <= len(source):
        lines += _code_frame(finding.span, source[finding.span.line - 1], finding.severity, paint)
    for other in finding.related:
        place = f"{other.path}:{other.span.line}:{other.span.column}" if other.span else other.path
        lines.append(paint(f"   = see {printable(place)}: {printable(other.message)}", "dim"))
    if finding.hint:
        lines.append(f"   = {paint('help', 'hint')}: {printable(finding.hint)}")
    if finding.fix:
        option = "--fix" if finding.fix.safe else "--fix --unsafe"
        lines.append(f"   = {paint('fix', 'hint')}: {printable(finding.fix.title)} (with {option})")
    if link:
        lines.append(paint(f"   = docs: {finding.url}", "dim"))
    return "\n".join(lines)


def _code_frame(span: Span, line: str, severity: str, paint: Paint) -> Iterator[str]:
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    first = max(0, start - WIDEST // 2) if len(line) > WIDEST else 0
    shown = printable(line[first : first + WIDEST].replace("\t", " "))
    before = _columns(line[first:start])
    carets = "^" * max(1, _columns(line[start : min(end, first + WIDEST)]))
    number = str(span.line)
    margin = " " * len(number)
    yield paint(f" {margin} |", "dim")
    yield paint(f" {number} | ", "dim") + shown
    yield paint(f" {margin} | ", "dim") + " " * before + paint(carets, severity)


def _columns(text: str) -> int:
    """How many columns of a terminal a piece of a line takes."""
    shown = printable(text.replace("\t", " "))
    if shown.isascii():
        return len(shown)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in shown)


def summary(report: LintReport, paint: Paint = plain) -> str:
    """How much was found, ignored and checked, and what can be mended: one or two lines."""
    checked = ", ".join(
        (_count(len(report.files), "file"), _count(report.entries, "entry"), _count(report.rules, "rule"))
    )
    found = ", ".join(
        paint(_count(report.counts[kind], kind), kind) for kind in ("error", "warning", "info") if report.counts[kind]
    )
    ignored = f", {len(report.ignored)} ignored" if report.ignored else ""
    said = f"{found or paint('No findings', 'ok')}{ignored} ({checked} checked)"
    unchecked = sorted({code for file in report.files for code in file.unchecked})
    if unchecked and report.entries:
        said += f"\nNot checked until the errors are mended: {', '.join(unchecked)}"
    safe, unsafe = (sum(f.fix_kind == kind for f in report.findings) for kind in ("safe", "unsafe"))
    if safe or unsafe:
        ways = [f"{safe} with --fix"] * bool(safe) + [f"{unsafe} more with --fix --unsafe"] * bool(unsafe)
        said += f"\nCan be mended: {', '.join(ways)}".replace(" more", "" if not safe else " more")
    return said


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    if noun == "info":
        return f"{number} info"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"
