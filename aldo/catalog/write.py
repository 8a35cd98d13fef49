"""Writing a file that was read: whole or not at all, with the mode it had, and never over what others wrote.

Each call of `os` here is one system call: the tests interrupt the writing before and after every one of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aldo.catalog.document import Document
from aldo.errors import UsageError


def encoded(document: Document, text: str) -> bytes:
    """A text as the bytes of the document's file, with the byte order mark that it had."""
    return (("\ufeff" if document.byte_order_mark else "") + text).encode("utf-8", "surrogatepass")


def replace_text(document: Document, text: str) -> None:
    """Write another text in place of the document's, by way of a file beside it.

    A link stays a link: what it leads to is replaced. Raises `UsageError` where the file is no longer what
    was read, or cannot be written; it is then as it was. Two of us take turns, so neither edit is lost; against a
    writer that takes no turn the file is compared once more just before it is replaced.
    """
    path = os.path.realpath(document.path)
    expected = encoded(document, document.text)
    try:
        with _turn(os.path.dirname(path)):
            before = os.stat(path)
            if not before.st_mode & 0o222:
                raise UsageError(f"{document.path} is read-only; nothing was written to it")
            _compare(path, expected, document.path)
            _replace(path, encoded(document, text), before, lambda: _compare(path, expected, document.path))
    except OSError as error:
        raise UsageError(f"{document.path} cannot be written: {error.strerror or error}; it is as it was") from None


def create(path: str, text: str) -> None:
    """Write a new file. Raises `UsageError` where there is one already, or it cannot be written."""
    try:
        with Path(path).open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists already; nothing was written to it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{path} cannot be written: {reason}") from None


def _compare(path: str, expected: bytes, name: str) -> None:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        found = b"".join(iter(lambda: os.read(handle, 1 << 20), b""))
    finally:
        os.close(handle)
    if found != expected:
        raise UsageError(f"{name} changed meanwhile; nothing was written to it; run again")


@contextmanager
def _turn(directory: str) -> Iterator[None]:
    """One writer in a directory at a time, where the system knows locks. The end of a process ends its turn."""
    try:
        import fcntl
    except ImportError:  # Windows: two writers are told apart by the comparison alone
        yield
        return
    handle = os.open(directory or ".", os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        with suppress(OSError):  # the turn ends here even where the file cannot be closed
            fcntl.flock(handle, fcntl.LOCK_UN)
        with suppress(OSError):
            os.close(handle)


def _replace(path: str, data: bytes, before: os.stat_result, compare: Callable[[], None]) -> None:
    # One name for each file: what a killed writer left is cleared away by the next.
    beside = os.path.join(os.path.dirname(path), f".{os.path.basename(path)[:200]}.aldo-new")
    try:
        handle = _created(beside)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        with suppress(OSError, AttributeError):  # only root may give a file away; Windows knows no owners
            os.chown(beside, before.st_uid, before.st_gid)
        os.chmod(beside, before.st_mode & 0o7777)
        compare()
        os.replace(beside, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(beside)
        raise
    _sync_directory(os.path.dirname(path))


def _created(path: str) -> int:
    """A new file, to be written by us alone; in place of one that a killed writer left."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags, 0o600)
    except FileExistsError:
        os.unlink(path)
        return os.open(path, flags, 0o600)


def _sync_directory(directory: str) -> None:
    """So that the new name outlives a loss of power. The file is in place already: where that cannot be, no matter."""
    with suppress(OSError):
        handle = os.open(directory or ".", os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
