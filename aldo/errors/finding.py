"""What a defect in a file looks like: where it is, what it is, and how to mend it."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class Span(NamedTuple):
    """A stretch of text. Lines and columns count from 1, in characters; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Related(NamedTuple):
    """A second place that a finding speaks of, say the first of two equal ids."""

    path: str
    span: Span | None
    message: str

    def to_dict(self) -> dict[str, Any]:
        span = self.span
        place = {"path": self.path, "line": span and span.line, "column": span and span.column}
        return {**place, "message": self.message}


class Edit(NamedTuple):
    """Characters `start` to `end` of a file's text (a byte order mark not counted) give way to `text`."""

    start: int
    end: int
    text: str


class Fix(NamedTuple):
    """How to mend a defect by editing the text. A safe one leaves every routing decision as it is."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


RULES_PAGE = "https://docs.aldo.example/reference/rules/"
"""Where `docs/reference/rules.md` is published; a finding links to its rule's section there."""


class Finding(NamedTuple):
    """One defect of one file: what, where, why, and what to do about it.

    `pointer` is the JSON pointer (RFC 6901) of the value, "" for the whole document.
    `unreadable` marks a defect that keeps the file from being read as one document at all: the
    command line then ends with 2 (unreadable input) instead of 1 (findings).
    """

    code: str
    severity: Severity
    path: str
    span: Span | None
    pointer: str
    message: str
    hint: str = ""
    related: tuple[Related, ...] = ()
    unreadable: bool = False
    fix: Fix | None = None

    @property
    def url(self) -> str:
        """The section of the rule's documentation."""
        return f"{RULES_PAGE}#{self.code.lower()}"

    @property
    def fix_kind(self) -> Literal["safe", "unsafe", "none"]:
        return "none" if self.fix is None else "safe" if self.fix.safe else "unsafe"

    @property
    def place(self) -> str:
        """`file:line:column`, or the file alone where no position exists."""
        return f"{self.path}:{self.span.line}:{self.span.column}" if self.span else self.path

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.place}: {self.severity}[{self.code}] {self.message}{hint}"

    def to_dict(self) -> dict[str, Any]:
        """The finding as in `aldo lint --format json`."""
        span = self.span
        return {
            "code": self.code,
            "severity": self.severity,
            "path": self.path,
            "line": span and span.line,
            "column": span and span.column,
            "endLine": span and span.end_line,
            "endColumn": span and span.end_column,
            "pointer": self.pointer,
            "message": self.message,
            "hint": self.hint,
            "url": self.url,
            "fix": self.fix_kind,
            "related": [other.to_dict() for other in self.related],
        }


def printable(text: str) -> str:
    """The text without control characters, so that what others wrote cannot steer the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text)
