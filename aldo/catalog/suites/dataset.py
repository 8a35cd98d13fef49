"""Cases from a file: JSONL, one object a line, or CSV with a line of column names. Every defect has its place."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.source import read_source
from aldo.catalog.spans import PathPart, Spans
from aldo.catalog.structure import check
from aldo.catalog.suites.csv_rows import BrokenRow, Cell, Row, csv_rows
from aldo.catalog.suites.json_rows import JsonText, NoJson, json_places, read_json
from aldo.errors import Finding, Related, Span
from aldo.schema.suite import Case

MOST_CASES = 100_000
"""More rows are not read, so that a file full of defects does not fill the memory with findings."""

TAG_SEPARATOR = ";"
JSON_LINES = (".jsonl", ".ndjson")
_COLUMNS = tuple(Case.model_fields)
_ONE_A_LINE = 'a case stands on one line: {"id": …, "input": …, "ground_truth": …}'


class Placed(NamedTuple):
    """A case, where it stands, and its number counted from 1: those that cannot be read count, too."""

    case: Case
    span: Span
    number: int

    @classmethod
    def of(cls, case: Case, span: Span, number: int) -> Placed:
        """The case with its number for an id where it has none."""
        return cls(case if case.id else case.model_copy(update={"id": str(number)}), span, number)


class Dataset:
    """What a file of cases holds. Its defects are the findings of the document. Never raises for what is in it."""

    def __init__(self, path: str) -> None:
        self.document: Document = read_source(path)
        self.rows: int = 0
        self._columns: list[str] = []
        ending = Path(path).suffix.lower()
        self._is_csv = ending == ".csv"
        if self.document.findings:
            self.cases: tuple[Placed, ...] = ()
            return
        self.document.spans = Spans(self.document.text)
        if not self._is_csv and ending not in JSON_LINES:
            hint = "name it .jsonl, with one JSON object a line, or .csv"
            problem = f"{ending} is no ending of one" if ending else "its name has no ending"
            self.document.report(codes.UNREADABLE_FILE, problem, hint=hint)
        self.cases = tuple(self._read_csv() if self._is_csv else self._read_json() if ending in JSON_LINES else ())

    @property
    def is_whole(self) -> bool:
        """Whether every row is a case."""
        return len(self.cases) == self.rows and not self.document.findings

    def locate(self, one: Placed, *path: PathPart) -> Span:
        """Where a part of a case stands; all of the case where it has no such part."""
        if not path:
            return one.span
        if self._is_csv:
            start = self.document.spans.line_start(one.span.line) + one.span.column - 1
            row = next(csv_rows(self.document.text, start))
            assert isinstance(row, Row)  # it was one before
            cell = dict(zip(self._columns, row.cells, strict=True)).get(str(path[0]))
            return self.document.spans.between(cell.start, cell.end) if cell and cell.text else one.span
        line = self.document.lines[one.span.line - 1]
        spans, _ = json_places(line)
        found = spans.locate(read_json(line).value, path)
        return found._replace(line=one.span.line, end_line=one.span.line) if found and found.column > 1 else one.span

    def _counts(self, span: Span) -> bool:
        """Counts one more row, and tells whether it is to be read."""
        if self.rows == MOST_CASES:
            told = f"the case {MOST_CASES + 1} begins here, and more than {MOST_CASES} are not read"
            self.document.report(codes.WRONG_VALUE, told, span=span, hint="split the suite")
            return False
        self.rows += 1
        return True

    def _read_json(self) -> Iterator[Placed]:
        for line_number, line in enumerate(self.document.lines, start=1):
            begin = len(line) - len(line.lstrip())
            whole = Span(line_number, begin + 1, line_number, len(line.rstrip()) + 1)
            if begin == len(line):
                continue
            if not self._counts(whole):
                return
            try:
                read = read_json(line)
            except NoJson as error:
                if self.rows == 1 and self._is_one_text(whole):
                    return
                place = Span(line_number, error.at + 1, line_number, min(error.end, len(line)) + 1)
                self.document.report(codes.SYNTAX, f"no JSON: {error}", span=place, hint=error.hint or _ONE_A_LINE)
                continue
            case = self._json_case(read, line, whole)
            if case is not None:
                yield Placed.of(case, whole, self.rows)

    def _is_one_text(self, place: Span) -> bool:
        """Whether the file as a whole is JSON: then that is its one defect, and not each of its lines."""
        try:
            read_json(self.document.text)
        except NoJson:
            return False
        self.document.report(codes.SYNTAX, "is one JSON text over several lines", span=place, hint=_ONE_A_LINE)
        return True

    def _json_case(self, read: JsonText, line: str, whole: Span) -> Case | None:
        """The case of a value, or None with its defects told where they stand on the line."""
        if not isinstance(read.value, dict):
            self.document.report(codes.WRONG_TYPE, "a case must be a mapping", span=whole, hint=_ONE_A_LINE)
            return None
        case = _case(read.value)
        if case is not None and not read.has_doubles:
            return case
        spans, doubles = json_places(line)
        for double in doubles:
            first, again = (
                Span(whole.line, start + 1, whole.line, end + 1) for start, end in (double.first, double.at)
            )
            related = (Related(self.document.path, first, "first given here"),)
            message = f"the key {double.key!r} stands twice"
            self.document.report(codes.DUPLICATE_KEY, message, span=again, hint="keep one of the two", related=related)
        if case is None:
            for finding in _defects(Document(self.document.path, line, value=read.value, spans=spans)):
                span = finding.span or whole
                self._tell(finding, span._replace(line=whole.line, end_line=whole.line))
        return case

    def _tell(self, finding: Finding, span: Span) -> None:
        """A defect of one row as one of the file."""
        self.document.findings.append(finding._replace(span=span, pointer="", fix=None, unreadable=False))

    def _read_csv(self) -> Iterator[Placed]:
        between = self.document.spans.between
        for row in csv_rows(self.document.text):
            if isinstance(row, BrokenRow):
                self.rows += 1
                hint = 'put a text with quotes in quotes, and write each of its own twice: "say ""yes"""'
                begins = Related(self.document.path, between(row.cell_at, row.cell_at + 1), "the cell begins here")
                related = (begins,) if row.at != row.cell_at else ()
                span = between(row.at, row.at + 1)
                self.document.report(codes.SYNTAX, f"no CSV: {row.problem}", span=span, hint=hint, related=related)
                if not self._columns:
                    return
            elif not self._columns:
                self._columns = [cell.text for cell in row.cells]
                if not self._header_names_columns(row):
                    return
            elif not self._counts(between(*row.place)):
                return
            else:
                case = self._csv_case(row)
                if case is not None:
                    yield Placed.of(case, between(*row.place), self.rows)

    def _header_names_columns(self, row: Row) -> bool:
        """Whether the rows can be read. Every column that is none is told."""
        meant: set[str] = set()
        other = next((mark for mark in ";\t|" if len(row.cells) == 1 and mark in row.cells[0].text), "")
        for number, cell in enumerate(row.cells):
            span = self.document.spans.between(cell.start, cell.end)
            hint = "the columns are " + ", ".join(_COLUMNS)
            if cell.text in self._columns[:number]:
                told = f"two columns are called {cell.text!r}"
                self.document.report(codes.DUPLICATE_KEY, told, span=span, hint="keep one of the two")
            elif cell.text not in _COLUMNS:
                near = get_close_matches(cell.text.strip().lower(), _COLUMNS, n=1)
                meant.update(near)
                hint = f"did you mean {near[0]!r}?" if near else hint
                self.document.report(codes.UNKNOWN_FIELD, f"unknown column {cell.text!r}", span=span, hint=hint)
        if other or not {"input"} & {*self._columns, *meant}:
            hint = "cells stand between commas" if other else "the first line names " + ", ".join(_COLUMNS)
            self.document.findings.clear()  # a line of something else has no columns to speak of
            span = self.document.spans.between(*row.place)
            self.document.report(codes.MISSING_FIELD, "there is no column 'input'", span=span, hint=hint)
        return "input" in self._columns

    def _csv_case(self, row: Row) -> Case | None:
        between = self.document.spans.between
        if len(row.cells) != len(self._columns):
            message = f"has {len(row.cells)} cells under {len(self._columns)} columns"
            many = len(row.cells) > len(self._columns)
            hint = "put texts with commas in quotes" if many else "write a comma for each empty cell, too"
            self.document.report(codes.WRONG_TYPE, message, span=between(*row.place), hint=hint)
            return None
        cells: dict[str, Cell] = {}
        for name, cell in zip(self._columns, row.cells, strict=True):
            if name in _COLUMNS:
                cells.setdefault(name, cell)
        found = {name: _cell_value(name, cell.text) for name, cell in cells.items()}
        value = {name: value for name, value in found.items() if value}
        case = _case(value)
        if case is None:
            text = self.document.text[slice(*row.place)]
            for finding in _defects(Document(self.document.path, text, value=value)):
                name = "input" if finding.code == codes.MISSING_FIELD else finding.pointer.split("/")[1]
                self._tell(finding, between(cells[name].start, cells[name].end))
        return case


def _case(value: dict[str, Any]) -> Case | None:
    try:
        return Case.model_validate(value, by_alias=True, by_name=False)
    except ValidationError:
        return None


def _defects(document: Document) -> tuple[Finding, ...]:
    check(document, Case, document.value)
    return document.sorted_findings()


def _cell_value(name: str, text: str) -> Any:
    """The value of a cell. Tags stand between semicolons; a ground truth that is a JSON list is a list."""
    if name == "tags":
        return [tag.strip() for tag in text.split(TAG_SEPARATOR) if tag.strip()]
    if name == "ground_truth" and text.lstrip().startswith("["):
        try:
            return read_json(text).value
        except NoJson:
            return text
    return text
