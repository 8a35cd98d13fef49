"""From a path to text: bounded, decoded, and with a clear word for everything that is not a text."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from aldo.catalog.codes import UNREADABLE_FILE
from aldo.catalog.document import Document
from aldo.errors import Span

MOST_BYTES = 32 * 1024 * 1024
"""Larger files are refused unread. Ten thousand entries take about 4 MB."""

STDIN = "-"
_MOST_TRIES = 5


def read_source(path: str) -> Document:
    """The text of a file, or of standard input for `-`. Problems become findings of the document."""
    document = Document(path="<stdin>" if path == STDIN else path)
    data = _read_bytes(path, document)
    if data is not None:
        decode(data, document)
    return document


def _read_bytes(path: str, document: Document) -> bytes | None:
    if path == "":
        document.report(UNREADABLE_FILE, "no file is named", hint="the name is empty")
        return None
    try:
        if path == STDIN:
            if sys.stdin is None:
                raise ValueError("standard input is closed")
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                data = _read_at_rest(file)
    except FileNotFoundError:
        if any(letter in path for letter in "*?["):
            document.report(UNREADABLE_FILE, "the pattern matches no file", hint="check the pattern")
        else:
            document.report(UNREADABLE_FILE, "no such file", hint="check the path")
    except IsADirectoryError:
        document.report(UNREADABLE_FILE, "is a directory, not a file", hint="name a YAML file inside it")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        document.report(UNREADABLE_FILE, f"cannot be read: {reason}")
    else:
        if len(data) <= MOST_BYTES:
            return data
        document.report(
            UNREADABLE_FILE,
            f"is larger than {MOST_BYTES // 2**20} MiB",
            hint="split the catalog into smaller files",
        )
    return None


def _read_at_rest(file: BinaryIO) -> bytes:
    """The bytes of a file that nobody wrote to meanwhile. Raises `OSError` where somebody goes on writing."""
    for _ in range(_MOST_TRIES):
        before = os.fstat(file.fileno())
        data = file.read(MOST_BYTES + 1)
        after = os.fstat(file.fileno())
        unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        if unchanged or not stat.S_ISREG(after.st_mode):  # a pipe has no state to compare
            return data
        file.seek(0)
    raise OSError("it changes while it is read; try again")


def decode(data: bytes, document: Document) -> None:
    if _looks_like_utf_16(data):
        hint = "save the file as UTF-8; where PowerShell's > wrote it, write it with an option such as -o FILE"
        document.report(UNREADABLE_FILE, "is UTF-16, not UTF-8 text", hint=hint)
        return
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = data[: error.start].decode("utf-8")
        document.report(
            UNREADABLE_FILE,
            f"is not UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}",
            span=_span_at(place, len(place)),
            hint="save the file as UTF-8",
        )
        return
    document.byte_order_mark = text.startswith("\ufeff")
    document.text = text.removeprefix("\ufeff")


def _looks_like_utf_16(data: bytes) -> bool:
    """Every other byte of western text is zero there; with a mark at the beginning, or without."""
    head = data[:64]
    zeros = (head[0::2].count(0), head[1::2].count(0))
    return data.startswith((b"\xff\xfe", b"\xfe\xff")) or (len(head) >= 8 and max(zeros) > 0.8 * (len(head) // 2))


def _span_at(text: str, offset: int) -> Span:
    from aldo.catalog.spans import Spans

    return Spans(text).between(offset, min(offset + 1, len(text)))
