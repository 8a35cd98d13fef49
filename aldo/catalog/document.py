"""A document as read: plain values, the place of each, and every defect met on the way."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from aldo.catalog.codes import AMBIGUOUS_SCALAR, UNREADABLE
from aldo.catalog.spans import PathPart, Spans, pointer
from aldo.errors import Finding, Fix, Related, Severity, Span
from aldo.schema.secrets import distinct_lines, find_named, find_secrets, mask, mask_places, masked

_FIRST_LETTERS = 6  # no secret is shorter
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

    skipped_ranges: tuple[tuple[int, int], ...] = ()
    """The first and the last line of each of them."""

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
                pointer=self.masked(pointer(path)),
                message=self.masked(message),
                hint=self.masked(hint),
                related=related,
                unreadable=code in UNREADABLE,
                fix=self.shown_fix(fix),
            )
        )

    def shown_fix(self, fix: Fix | None) -> Fix | None:
        """The fix as it may be told. One that would write a key is none."""
        if fix is None or any(True for edit in fix.edits for _ in find_secrets(edit.text)):
            return None
        return fix._replace(title=self.masked(fix.title))

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

    @cached_property
    def shaped_like_keys(self) -> tuple[tuple[int, int], ...]:
        return tuple(find_secrets(self.text, self._distinct_lines))

    @cached_property
    def named_like_keys(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(find_named(self.text, self._distinct_lines))

    @cached_property
    def _distinct_lines(self) -> str:
        return distinct_lines(self.text)

    @cached_property
    def secrets(self) -> tuple[tuple[int, int], ...]:
        """Where in the text something stands that must not be shown: more than a rule would call a key."""
        return tuple(sorted({*self.shaped_like_keys, *((start, end) for _, start, end in self.named_like_keys)}))

    def masked(self, text: str) -> str:
        """A message about the document without the keys that stand in it."""
        if not self.secrets:
            return text
        known, at = self._secret_values, 0
        while at < len(text):
            here = known.get(text[at : at + _FIRST_LETTERS], ())
            secret = next((secret for secret in here if text.startswith(secret, at)), "")
            text = text[:at] + mask(secret) + text[at + len(secret) :]
            at += len(secret) or 1
        return masked(text)

    @cached_property
    def _secret_values(self) -> dict[str, list[str]]:
        """What must not be shown, by its first letters, so that a message is looked through once."""
        found: dict[str, list[str]] = {}
        for secret in sorted({self.text[start:end] for start, end in self.secrets}, key=len, reverse=True):
            found.setdefault(secret[:_FIRST_LETTERS], []).append(secret)
        return found

    @cached_property
    def shown_lines(self) -> list[str]:
        """The lines of that."""
        return self.split_lines(self.shown_text)

    @cached_property
    def shown_text(self) -> str:
        """The text for code frames and diffs: keys are masked, and every character keeps its place."""
        return mask_places(self.text, self.secrets)

    @cached_property
    def skipped_lines(self) -> frozenset[int]:
        """Every line of the entries that a syntax error made unreadable."""
        return frozenset(line for first, last in self.skipped_ranges for line in range(first, last + 1))

    def last_line_of_pair(self, line: int) -> int:
        """The last line of the value whose key is the first thing on a line; that line where there is none."""
        spans = self.spans
        start = spans.line_start(line)
        node = bisect_left(spans.starts, start)
        if node + 1 >= len(spans.starts) or spans.line_column(spans.starts[node])[0] != line or spans.sizes[node] != 1:
            return line
        last = node + spans.sizes[node + 1]
        return spans.line_column(max(spans.starts[last], spans.ends[last] - 1))[0]

    @property
    def readable(self) -> bool:
        """Whether there is a value to speak of: an unreadable entry leaves the others."""
        return self.value is not None

    def alias_on(self, path: Sequence[PathPart]) -> Span | None:
        """Where the alias stands by which the value at `path` is reached, or None where it is written out."""
        if not self.spans.aliases:
            return None
        ways = (self.spans.node(self.value, path[:length]) for length in range(1, len(path) + 1))
        return next((self.spans.span(node) for node in ways if node in self.spans.aliases), None)

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
