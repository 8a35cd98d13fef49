"""Reading YAML text in the tests: ours, and ruamel.yaml's as the second opinion."""

from __future__ import annotations

import warnings
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import ReusedAnchorWarning, YAMLError

from aldo.catalog.document import Document
from aldo.catalog.reader import parse
from aldo.errors import Finding, Span


def read(text: str) -> Document:
    """The text parsed by the catalog's own reader."""
    document = Document("x.yaml", text=text)
    parse(document)
    return document


def value_of(text: str) -> Any:
    """The value of a text in which nothing is wrong; that a scalar is ambiguous is no error."""
    document = read(text)
    assert not errors_in(document), (text, document.findings)
    return document.value


def errors_in(document: Document) -> list[Finding]:
    return [finding for finding in document.findings if finding.severity == "error"]


def ruamel_value(text: str) -> Any:
    """What ruamel.yaml reads with its own YAML 1.2 resolver."""
    return YAML(typ="safe", pure=True).load(text)


def ruamel_or_none(text: str) -> tuple[bool, Any]:
    """Whether ruamel.yaml can read the text, and what it reads."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)
            return True, ruamel_value(text)
    except (YAMLError, ValueError, TypeError, LookupError, AssertionError, AttributeError):
        return False, None


def line_starts(text: str) -> list[int]:
    """Offsets of the lines; LF, CRLF and CR end one."""
    starts = [0]
    for offset, letter in enumerate(text):
        if letter == "\n" or (letter == "\r" and text[offset + 1 : offset + 2] != "\n"):
            starts.append(offset + 1)
    return starts


def offsets(text: str, span: Span) -> tuple[int, int]:
    """The character offsets that a span names."""
    starts = line_starts(text)
    return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1


def text_at(text: str, span: Span | None) -> str:
    assert span is not None
    start, end = offsets(text, span)
    return text[start:end]
