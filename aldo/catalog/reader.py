"""Read a YAML document with the place of every value. The only user of the YAML library for reading.

Bounds: 32 MiB, one document, 100 levels, 100 000 aliased values. A syntax error inside one entry of a
catalog is reported and that entry passed over, so that it does not hide the defects of the others.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import yaml

from aldo.catalog import codes
from aldo.catalog.build import Builder, TooMuch
from aldo.catalog.document import Document
from aldo.catalog.source import read_source
from aldo.catalog.spans import Spans
from aldo.errors import Related, Span

# Without libyaml PyYAML is slower, but its parser gives the same events.
_Parser: Any = getattr(import_module("yaml.cyaml"), "CParser", None) if yaml.__with_libyaml__ else yaml.SafeLoader

MOST_SYNTAX_ERRORS = 20
_ITEM = re.compile(r"^( *)- ", re.MULTILINE)
_LESS_INDENTED = r"^ {{0,{}}}[^\s#]"
_NO_ITEM = r"^(?!- )[^\s#]"
_NOT_LINE_END = re.compile(r"[^\r\n]")


def read_document(path: str) -> Document:
    """Read one file, or standard input for `-`. Never raises for what is in it: see `Document.findings`."""
    document = read_source(path)
    if not document.findings:
        parse(document)
    return document


def parse(document: Document) -> None:
    """Parse `document.text` into its value and spans; retry without the entries that cannot be parsed."""
    text, line_breaks = _hide_line_breaks(document.text)
    skipped: set[int] = set()
    for _ in range(MOST_SYNTAX_ERRORS):
        builder = Builder(document, line_breaks)
        try:
            with _without_garbage_collector():
                _feed(builder, text)
        except TooMuch:
            return
        except yaml.MarkedYAMLError as error:
            document.findings = [f for f in document.findings if f.code == codes.SYNTAX]
            _report_syntax(document, error)
            entry = _entry_around(text, error)
            if entry is None or entry[0] in skipped:
                return
            skipped.add(entry[0])
            text = _without_entry(text, entry)
            continue
        document.value, document.spans = builder.value, builder.spans
        document.skipped = frozenset(skipped)
        return


def _hide_line_breaks(text: str) -> tuple[str, dict[int, int]]:
    """U+0085, U+2028 and U+2029 end a line in YAML 1.1 and libyaml, but not in YAML 1.2 nor in an editor.

    Gives the text with characters in their place that it does not hold, and the way back.
    """
    present = [character for character in "\x85\u2028\u2029" if character in text]
    free = (code for code in range(0xF0000, 0xFFFFD) if chr(code) not in text)
    hidden = {ord(character): next(free) for character in present}
    back = {code: original for original, code in hidden.items()}
    return (text.translate(hidden) if hidden else text), back


@contextmanager
def _without_garbage_collector() -> Iterator[None]:
    """Nothing built here is cyclic, and the collector would visit it all again and again (halves the time)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _feed(builder: Builder, text: str) -> None:
    document = builder.document
    actions: dict[type, Any] = {
        yaml.ScalarEvent: builder.scalar,
        yaml.AliasEvent: builder.alias,
        yaml.MappingStartEvent: builder.open,
        yaml.SequenceStartEvent: builder.open,
        yaml.MappingEndEvent: builder.close,
        yaml.SequenceEndEvent: builder.close,
    }
    parser = _Parser(text)
    documents = 0
    while True:
        event: Any = parser.get_event()
        kind = type(event)
        action = actions.get(kind)
        if action is not None:
            action(event)
        elif kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                start = event.start_mark.index
                document.report(
                    codes.MANY_DOCUMENTS,
                    "a second document begins here",
                    span=builder.spans.between(start, start + 3),
                    hint="one file holds one document; move the rest to a file of its own",
                )
                raise TooMuch
        elif kind is yaml.StreamEndEvent:
            break
    if documents == 0 or builder.value is None:
        document.report(
            codes.UNREADABLE_FILE,
            "is empty",
            span=Span(1, 1, 1, 1),
            hint="a catalog begins with `apiVersion: aldo/models.v1`",
        )


def _report_syntax(document: Document, error: yaml.MarkedYAMLError) -> None:
    spans = Spans(document.text)
    mark = error.problem_mark or error.context_mark
    offset = min(mark.index, len(document.text)) if mark else 0
    problem = " ".join((error.problem or "cannot be parsed").split())
    hint = ""
    related: tuple[Related, ...] = ()
    if document.text[offset : offset + 1] == "\t":
        problem, hint = "a tab where YAML wants spaces", "indent with spaces"
    elif error.context and error.context_mark and error.context_mark.index != offset:
        start = error.context_mark.index
        place = spans.between(start, min(start + 1, len(document.text)))
        related = (Related(document.path, place, error.context),)
        problem = f"{problem} {error.context}" if error.context.startswith("while") else problem
    end = min(offset + 1, len(document.text))
    document.report(codes.SYNTAX, problem, span=spans.between(offset, end), hint=hint, related=related)


def _entry_around(text: str, error: yaml.MarkedYAMLError) -> tuple[int, int] | None:
    """The offsets of the list item that the error began in, where the document is a list of items."""
    first = _ITEM.search(text)
    mark = error.context_mark or error.problem_mark
    if first is None or mark is None or mark.index < first.start():
        return None
    indent = first[1]
    starts = [m.start() for m in re.finditer(rf"^{indent}- ", text, re.MULTILINE)]
    begun = [start for start in starts if start <= mark.index]
    later = [start for start in starts if start > mark.index]
    after = text.find("\n", begun[-1]) + 1
    end_of_list = re.compile(_LESS_INDENTED.format(len(indent) - 1) if indent else _NO_ITEM, re.MULTILINE)
    beyond = end_of_list.search(text, after) if after else None
    end = min(later[0] if later else len(text), beyond.start() if beyond else len(text))
    return begun[-1], end


def _without_entry(text: str, entry: tuple[int, int]) -> str:
    """The text with an item replaced by a null of the same length, so that every offset stays."""
    start, end = entry
    blank = _NOT_LINE_END.sub(" ", text[start:end])
    dash = text.index("-", start)
    return f"{text[:start]}{blank[: dash - start]}- ~{blank[dash - start + 3 :]}{text[end:]}"
