"""How a catalog begins: what its header must say, and how a missing one is offered."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.edit import line_after, line_end_of, line_start_of
from aldo.catalog.kinds import read_by
from aldo.errors import Edit, Fix
from aldo.schema.secrets import masked
from aldo.schema.vocabulary import API_VERSION, CATALOG_KIND


def is_a_ruin(document: Document) -> bool:
    """Whether what is left of a file beside its unreadable parts is no list of entries: then those are told alone."""
    value = document.value.get("models") if isinstance(document.value, dict) else document.value
    return not isinstance(value, list) and any(finding.unreadable for finding in document.findings)


def is_catalog(document: Document) -> bool:
    """Whether the document claims to be a catalog: a mapping of the right kind, or a bare list of entries."""
    value = document.value
    if isinstance(value, list):
        _report_bare_list(document)
        return True
    if not isinstance(value, dict):
        if value is not None:
            document.report_at(codes.WRONG_KIND, "is neither a catalog nor a list of entries", (), hint=_HINT)
        return False
    wrong = [(key, expected) for key, expected in HEADER.items() if key in value and value[key] != expected]
    has_entries = isinstance(value.get("models"), list)
    for key, expected in wrong if has_entries else wrong[:1]:  # of a stranger's file the kind says enough
        near = isinstance(value[key], str) and get_close_matches(value[key], [expected], cutoff=0.8)
        hint = f"did you mean {expected!r}?" if near else read_by(value) or "is this the file you meant?"
        document.report_at(codes.WRONG_KIND, f"{key} is {_shown(value[key])}, not {expected}", (key,), hint=hint)
    if wrong and not has_entries:
        return False
    if not {"kind", "apiVersion", "models"} & set(value):
        document.report_at(
            codes.WRONG_KIND,
            "is not a model catalog: it has neither apiVersion, kind nor models",
            (),
            hint=_HINT,
        )
        return False
    for key in HEADER:
        if key not in value:
            document.report(
                codes.MISSING_FIELD,
                f"the field {key!r} is missing",
                span=document.locate(()),
                hint=f"a catalog begins with `apiVersion: {API_VERSION}` and `kind: {CATALOG_KIND}`",
                fix=_inserted_header(document, key),
            )
    return True


def _inserted_header(document: Document, key: str) -> Fix:
    start, _ = document.offsets(())
    if document.text[start] == "{":
        return Fix(f"add {key}", (Edit(start + 1, start + 1, f'"{key}": "{HEADER[key]}", '),), safe=True)
    text = f"{key}: {HEADER[key]}{line_end_of(document.text)}"
    if key == "kind":  # behind apiVersion, where that stands on the first line
        behind = _behind_first_line(document, "apiVersion")
        start = start if behind is None else behind
    return Fix(f"add {key}", (Edit(start, start, text),), safe=True)


def _behind_first_line(document: Document, key: str) -> int | None:
    value = document.value
    if not isinstance(value, dict) or next(iter(value)) != key:
        return None
    return line_after(document.text, document.offsets((key,))[1])


def _above_comments(text: str, line: int) -> int:
    """The start of the comment lines that stand directly above a line: they belong to it."""
    while line:
        above = line_start_of(text, line - 1 if text[line - 1] != "\n" or text[line - 2 : line] != "\r\n" else line - 2)
        if not text[above:line].lstrip(" \t").startswith("#"):
            break
        line = above
    return line


def _report_bare_list(document: Document) -> None:
    start, _ = document.offsets(())
    line = _above_comments(document.text, line_start_of(document.text, start))
    between = document.text[line_start_of(document.text, start) : start]
    at = line if not between.strip() else start
    # A list may stand at the column of its key, so nothing has to be indented anew.
    end = line_end_of(document.text)
    lines = "".join(f"{key}: {value}{end}" for key, value in HEADER.items())
    if document.text[start] == "[":
        edits = (
            (Edit(at, at, lines), Edit(start, start, "models: ")) if at < start else (Edit(at, at, f"{lines}models: "),)
        )
    else:
        edits = (Edit(at, at, f"{lines}models:{end}"),)
    document.report(
        codes.BARE_LIST,
        "a bare list of entries; a header would say what the file is",
        span=document.spans.between(start, start + 1),
        hint=f"begin the file with `apiVersion: {API_VERSION}`, `kind: {CATALOG_KIND}` and `models:`",
        severity="info",
        fix=Fix("add the header", edits, safe=True),
    )


HEADER = {"apiVersion": API_VERSION, "kind": CATALOG_KIND}
_HINT = f"a catalog begins with `apiVersion: {API_VERSION}`, `kind: {CATALOG_KIND}` and `models:`"


def _shown(value: Any) -> str:
    return masked(value)[:60] if isinstance(value, str) else type(value).__name__
