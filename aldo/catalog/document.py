"""A document as read: plain values, the place of each, and every defect met on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from aldo.catalog.codes import AMBIGUOUS_SCALAR, UNREADABLE
from aldo.catalog.spans import PathPart, Spans, pointer
from aldo.errors import Finding, Fix, Related, Severity, Span
from aldo.schema.secrets import masked

_LINE_END = re.compile(r"\r\n|\r|\n")  # str.splitlines breaks at form feeds and more


@dataclass
class Document:
    """One file. `value` is made of dict, list, str, int, WrittenFloat, bool and None."""

    path: str
    text: str = ""
    byte_order_mark: bool = False
    value: Any = None
    spans: Spans = field(default_factory=lambda: Spans(""))
    findings: list[Finding] = field(default_factory=list)
    odd_keys: list[Span] = field(default_factory=list)
    """Where keys stand that are no texts. YAML allows them, our files do not."""
    skipped: frozenset[int] = frozenset()
    """Lines on which entries begin that a syntax error made unreadable; nothing is said of them again."""

    def report(
        self,
        code: str,
        message: str,
        *,
        span: Span | None = None,
        path: Sequence[PathPart] = (),
        hint: str = "",
        related: tuple[Related, ...] = (),
        severity: Severity = "error",
        fix: Fix | None = None,
    ) -> None:
        """Add a finding. What looks like a key in it is not told in full."""
        self.findings.append(
            Finding(
                code=code,
                severity=severity,
                path=self.path,
                span=span,
                pointer=masked(pointer(path)),
                message=masked(message),
                hint=masked(hint),
                related=related,
                unreadable=code in UNREADABLE,
                fix=fix,
            )
        )

    def report_at(
        self,
        code: str,
        message: str,
        path: Sequence[PathPart],
        *,
        key: bool = False,
        hint: str = "",
        related: tuple[Related, ...] = (),
        severity: Severity = "error",
        fix: Fix | None = None,
    ) -> None:
        """Add a finding at the value (or the key) that stands at `path`."""
        span = self.locate(path, key=key)
        self.report(code, message, span=span, path=path, hint=hint, related=related, severity=severity, fix=fix)

    def locate(self, path: Sequence[PathPart], *, key: bool = False) -> Span | None:
        return self.spans.locate(self.value, path, key=key)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text as editors count them, without their ends."""
        return self.split_lines(self.text)

    @staticmethod
    def split_lines(text: str) -> list[str]:
        return _LINE_END.split(text)

    @property
    def readable(self) -> bool:
        """Whether there is a value to speak of: an unreadable entry leaves the others."""
        return self.value is not None

    def offsets(self, path: Sequence[PathPart], *, key: bool = False) -> tuple[int, int]:
        """Where in `text` the value (or the key) at `path` begins and ends."""
        return self.spans.offsets(self.value, path, key=key)

    def sorted_findings(self) -> tuple[Finding, ...]:
        """In the order of the file; each place and code once. What is wrong anyway is not told to be ambiguous too."""
        wrong = {finding.span for finding in self.findings if finding.severity == "error"}
        kept = [f for f in self.findings if f.code != AMBIGUOUS_SCALAR or f.span not in wrong]
        return in_order(kept)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings of one file in the order of the file, each once."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: (f.span or Span(0, 0, 0, 0), f.code, f.pointer)))
