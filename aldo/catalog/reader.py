"""Read a YAML document with the place of every value. The only user of the YAML library for reading.

Bounds: 32 MiB, one document, 100 levels, 100 000 aliased values. A syntax error inside one entry of a
catalog is reported and that entry passed over, so that it does not hide the defects of the others.
"""

from __future__ import annotations

import re

import yaml

from aldo.catalog import codes
from aldo.catalog.build import Builder, TooMuch
from aldo.catalog.document import Document
from aldo.catalog.events import events, without_garbage_collector
from aldo.catalog.recovery import broken_items, describe, without_items
from aldo.catalog.source import read_source
from aldo.catalog.spans import Spans
from aldo.errors import Related, Span

_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_document(path: str) -> Document:
    """Read one file, or standard input for `-`. Never raises for what is in it: see `Document.findings`."""
    document = read_source(path)
    if not document.findings:
        parse(document)
    return document


def parse_text(path: str, text: str) -> Document:
    """A text as the document that `read_document` would make of a file that holds it."""
    document = Document(path=path, text=text)
    parse(document)
    return document


def parse(document: Document) -> None:
    """Parse `document.text` into its value and spans; a second time without the entries that are no YAML."""
    document.spans = Spans(document.text)  # so that places in the text have lines, whatever comes of it
    bad = _NOT_YAML.search(document.text)
    if bad is not None:
        document.report(
            codes.UNREADABLE_FILE,
            f"contains the character U+{ord(bad[0]):04X}, which YAML does not allow",
            span=Spans(document.text).between(bad.start(), bad.end()),
            hint="is this a text file? Remove the character or write it as an escape",
        )
        return
    text, line_breaks = _hide_line_breaks(document.text)
    with without_garbage_collector():
        error = _build(document, text, line_breaks)
        if error is None:
            return
        items = broken_items(text)
        document.findings.clear()
        document.odd_keys.clear()
        places = Spans(document.text)
        for item in items:
            _report_syntax(document, places, item.problem, item.at, item.context, item.context_at)
        document.skipped = frozenset(places.line_column(item.start)[0] for item in items)
        document.skipped_ranges = tuple(
            (places.line_column(item.start)[0], places.line_column(max(item.start, item.end - 1))[0]) for item in items
        )
        if items:
            error = _build(document, without_items(text, items), line_breaks)
        if error is not None:
            _report_syntax(document, places, *describe(error, len(text.rstrip())))


def _build(document: Document, text: str, line_breaks: dict[int, int]) -> yaml.MarkedYAMLError | None:
    """Build value and spans of a text; gives the syntax error where it is no YAML."""
    builder = Builder(document, line_breaks)
    try:
        _feed(builder, text)
    except yaml.MarkedYAMLError as error:
        return error
    except TooMuch:
        return None
    document.value, document.spans = builder.value, builder.spans
    return None


def _hide_line_breaks(text: str) -> tuple[str, dict[int, int]]:
    """U+0085, U+2028 and U+2029 end a line in YAML 1.1 and libyaml, but not in YAML 1.2 nor in an editor.

    Gives the text with characters in their place that it does not hold, and the way back.
    """
    present = [character for character in "\x85\u2028\u2029" if character in text]
    free = (code for code in range(0xF0000, 0xFFFFD) if chr(code) not in text)
    hidden = {ord(character): next(free) for character in present}
    back = {code: original for original, code in hidden.items()}
    return (text.translate(hidden) if hidden else text), back


def _feed(builder: Builder, text: str) -> None:
    document = builder.document
    documents = 0
    for event in builder.take(events(text)):
        if type(event) is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                assert event.start_mark is not None
                _report_second_document(document, builder.spans, event.start_mark.index)
                break
    if documents == 0 or builder.value is None:
        document.report(
            codes.UNREADABLE_FILE,
            "is empty",
            span=Span(1, 1, 1, 1),
            hint="a catalog begins with `apiVersion: aldo/models.v1`",
        )


def _report_second_document(document: Document, spans: Spans, start: int) -> None:
    document.report(
        codes.MANY_DOCUMENTS,
        "a second document begins here",
        span=spans.between(start, start + 3),
        hint="one file holds one document; move the rest to a file of its own",
    )


def _report_syntax(document: Document, spans: Spans, problem: str, at: int, context: str, context_at: int) -> None:
    end = len(document.text)
    hint = ""
    related: tuple[Related, ...] = ()
    if document.text[at : at + 1] == "\t":
        problem, hint = "a tab where YAML wants spaces", "indent with spaces"
    elif "escape code" in problem:
        hint = "write the character itself (from Python: json.dumps(..., ensure_ascii=False))"
    elif context and context_at != at:
        place = spans.between(context_at, min(context_at + 1, end))
        related = (Related(document.path, place, context),)
    if context.startswith("while") and not hint:
        problem = f"{problem} {context}"
    span = spans.between(min(at, end), min(at + 1, end))
    document.report(codes.SYNTAX, problem, span=span, hint=hint, related=related)
