"""A document as read: plain values, the place of each, and every defect met on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aldo.catalog.codes import UNREADABLE
from aldo.catalog.spans import PathPart, Spans, pointer
from aldo.errors import Finding, Related, Span


@dataclass
class Document:
    """One file. `value` is made of dict, list, str, int, WrittenFloat, bool and None."""

    path: str
    text: str = ""
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
    ) -> None:
        """Add a finding (an error)."""
        self.findings.append(
            Finding(
                code=code,
                severity="error",
                path=self.path,
                span=span,
                pointer=pointer(path),
                message=message,
                hint=hint,
                related=related,
                unreadable=code in UNREADABLE,
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
    ) -> None:
        """Add a finding at the value (or the key) that stands at `path`."""
        self.report(code, message, span=self.locate(path, key=key), path=path, hint=hint, related=related)

    def locate(self, path: Sequence[PathPart], *, key: bool = False) -> Span | None:
        return self.spans.locate(self.value, path, key=key)

    @property
    def readable(self) -> bool:
        """Whether there is a value to speak of: an unreadable entry leaves the others."""
        return self.value is not None

    def sorted_findings(self) -> tuple[Finding, ...]:
        """In the order of the file; each place and code once."""
        distinct = dict.fromkeys(self.findings)
        return tuple(sorted(distinct, key=lambda f: (f.span or Span(0, 0, 0, 0), f.code, f.pointer)))
