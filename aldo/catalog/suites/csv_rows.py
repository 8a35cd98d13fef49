"""CSV (RFC 4180) in rows of cells, each with its place, which Python's own reader does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_PLAIN = re.compile(r"[^,\r\n]*+")
_QUOTED = re.compile(r'"((?:[^"]++|"")*+)"')
_LINE_END = re.compile(r"\r\n|\r|\n|\Z")


class Cell(NamedTuple):
    """The text of a cell, and the characters where it stands with its quotes."""

    text: str
    start: int
    end: int


class Row(NamedTuple):
    """The cells up to the end of a line that no quotes hold. Never without a cell."""

    cells: tuple[Cell, ...]

    @property
    def place(self) -> tuple[int, int]:
        return self.cells[0].start, self.cells[-1].end


class BrokenRow(NamedTuple):
    """A row that quotes break: what is wrong from which character on, and where the cell begins."""

    problem: str
    at: int
    cell_at: int


def csv_rows(text: str, at: int = 0) -> Iterator[Row | BrokenRow]:
    """The rows of a text from a character on.

    Those with nothing in them are left out: spreadsheets write commas for empty lines.
    Behind a broken row it goes on only where its quotes close on the line: else nobody knows where the next begins.
    """
    while at < len(text):
        row, at = _row(text, at)
        if isinstance(row, BrokenRow) or any(cell.text.strip() for cell in row.cells):
            yield row


def _row(text: str, at: int) -> tuple[Row | BrokenRow, int]:
    """The row that begins at a character, and where the next one begins."""
    cells: list[Cell] = []
    while True:
        start, quoted = at, None
        if text.startswith('"', at):
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                return BrokenRow("the quote that opens here is never closed", at, at), len(text)
            at = quoted.end()
            cells.append(Cell(quoted[1].replace('""', '"'), start, at))
        else:
            at = _end(_PLAIN.match(text, at))
            cells.append(Cell(text[start:at], start, at))
        if text.startswith(",", at):
            at += 1
            continue
        line_end = _LINE_END.match(text, at)
        if line_end is not None:
            return Row(tuple(cells)), line_end.end()
        is_one_line = quoted is not None and not re.search(r"[\r\n]", quoted[0])
        rest = _end(_LINE_END.search(text, at)) if is_one_line else len(text)
        return BrokenRow("text behind the quote that closes a cell", at, start), rest


def _end(match: re.Match[str] | None) -> int:
    assert match is not None  # the pattern matches everywhere
    return match.end()
