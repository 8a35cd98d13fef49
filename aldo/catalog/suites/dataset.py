"""Cases from a file: JSONL, one object a line, or CSV with a line of column names. Every defect has its line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.reader import parse_text
from aldo.catalog.source import read_source
from aldo.catalog.structure import check
from aldo.errors import Span
from aldo.schema.suite import Case

MOST_CASES = 100_000
_JSON_LINES = (".jsonl", ".ndjson")
_COLUMNS = tuple(Case.model_fields)
TAG_SEPARATOR = ";"


class Placed(NamedTuple):
    """A case and the lines that it stands on."""

    case: Case
    span: Span


class Dataset(NamedTuple):
    """What a file of cases holds. Its defects are the findings of the document."""

    document: Document
    cases: tuple[Placed, ...]


def read_dataset(path: str) -> Dataset:
    """The cases of a file, told apart by its ending. Never raises for what is in it."""
    document = read_source(path)
    if document.findings:
        return Dataset(document, ())
    document.spans = document.spans.__class__(document.text)
    ending = Path(path).suffix.lower()
    if ending in _JSON_LINES:
        rows = _json_lines(document)
    elif ending == ".csv":
        rows = _csv_rows(document)
    else:
        hint = "name it .jsonl, with one JSON object a line, or .csv"
        document.report(codes.UNREADABLE_FILE, f"{ending or 'a file without an ending'} is no dataset", hint=hint)
        return Dataset(document, ())
    found: list[Placed] = []
    for placed in rows:
        found.append(placed)
        if len(found) > MOST_CASES:
            document.report(codes.WRONG_VALUE, f"holds more than {MOST_CASES} cases", hint="split the suite")
            break
    return Dataset(document, tuple(found[:MOST_CASES]))


def _json_lines(document: Document) -> Iterator[Placed]:
    for number, line in enumerate(document.lines, start=1):
        if not line.strip():
            continue
        whole = Span(number, 1, number, len(line) + 1)
        try:
            value = json.loads(line, parse_constant=_refuse, object_pairs_hook=_unique)
        except json.JSONDecodeError as error:
            place = Span(number, error.colno, number, error.colno + 1)
            document.report(codes.SYNTAX, f"no JSON: {error.msg}", span=place, hint="one object a line")
        except (ValueError, RecursionError) as error:
            document.report(codes.SYNTAX, f"no JSON: {error}", span=whole, hint="one object a line")
        else:
            case = _case(document, value, line, number, whole)
            if case is not None:
                yield Placed(case, whole)


def _case(document: Document, value: Any, line: str, number: int, whole: Span) -> Case | None:
    """The case of a value, or None with its defects told where they stand on the line."""
    if not isinstance(value, dict):
        hint = 'a case is written {"id": …, "input": …, "ground_truth": …}'
        document.report(codes.WRONG_TYPE, "a case must be a mapping", span=whole, hint=hint)
        return None
    try:
        return Case.model_validate(value, by_alias=True, by_name=False)
    except ValidationError:
        pass
    # JSON is YAML, but for a few escapes: the YAML reader knows where everything stands.
    alone = parse_text(document.path, line)
    if alone.findings or alone.value != value:
        alone = Document(path=document.path, text=line, value=value)
    check(alone, Case, value)
    for finding in alone.sorted_findings():
        span = finding.span and finding.span._replace(line=number, end_line=number)
        document.findings.append(finding._replace(span=span or whole, pointer="", fix=None, unreadable=False))
    return None


def _csv_rows(document: Document) -> Iterator[Placed]:
    reader = csv.reader(io.StringIO(document.text, newline=""), strict=True)
    first = 1
    header: list[str] | None = None
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            span = Span(first, 1, first, 2)
            document.report(codes.SYNTAX, f"no CSV: {error}", span=span, hint="put texts with quotes in quotes")
            return
        span = Span(first, 1, max(first, reader.line_num), len(document.lines[reader.line_num - 1]) + 1)
        first = reader.line_num + 1
        if header is None:
            header = row
            if not _is_header(document, header, span):
                return
        elif len(row) > len(header):
            message = f"has {len(row)} cells under {len(header)} columns"
            document.report(codes.WRONG_TYPE, message, span=span, hint="put texts with commas in quotes")
        elif row:
            value = {name: cell for name, text in zip(header, row, strict=False) if (cell := _cell(name, text))}
            case = _case(document, value, "", span.line, span)
            if case is not None:
                yield Placed(case, span)


def _is_header(document: Document, header: list[str], span: Span) -> bool:
    columns = ", ".join(_COLUMNS)
    if "input" not in header:
        document.report(
            codes.MISSING_FIELD, "there is no column 'input'", span=span, hint=f"the first line names {columns}"
        )
        return False
    for name in header:
        if name not in _COLUMNS or header.count(name) > 1:
            problem = "unknown column" if name not in _COLUMNS else "there are two columns"
            document.report(codes.UNKNOWN_FIELD, f"{problem} {name!r}", span=span, hint=f"the columns are {columns}")
            return False
    return True


def _cell(name: str, text: str) -> Any:
    """The value of a cell. Tags stand between semicolons; a ground truth that is a JSON list is a list."""
    if name == "tags":
        return [tag.strip() for tag in text.split(TAG_SEPARATOR) if tag.strip()]
    if name == "ground_truth" and text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text or None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise ValueError(f"the key {twice!r} stands twice")
    return found
