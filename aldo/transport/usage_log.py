"""The usage log: a JSON line for every request that was sent. Many processes may write to one file.

Each row is one write at the end of the file, under a lock where the system has locks, so rows never mix. A writer
that is killed in the middle of its write leaves half a line at most, and the next one takes it away.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aldo.errors import UsageError
from aldo.schema.usage import UsageRow

_BEGINNING = b'{"at": "'  # of every row
_log = logging.getLogger("aldo.usage")


class UsageLog:
    """Appends rows to a file. Give its `write` to `resolve` as `on_usage`.

    Raises `UsageError` where the file cannot be written, before anything is sent. A row that cannot be written
    later (a full disk) is told through `logging`, and the answer that it was about is not lost.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: str = os.fspath(path)
        self._mutex = threading.Lock()
        try:
            # Readable too: the end of the file is looked at before each row.
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
            self._file = os.open(self.path, flags, 0o600)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UsageError(f"the usage log {self.path} cannot be written: {reason}") from None

    def __enter__(self) -> UsageLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._mutex:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def write(self, row: UsageRow) -> None:
        """Append a row. Threads and processes may do so at once."""
        line = row.to_json().encode("utf-8", "backslashreplace") + b"\n"
        with self._mutex:
            try:
                if self._file < 0:
                    raise OSError(None, "it is closed")
                with self._turn():
                    self._append(line)
            except OSError as error:
                _log.error("a row is missing in the usage log %s: %s", self.path, error.strerror or error)

    def _append(self, line: bytes) -> None:
        status = os.fstat(self._file)
        end = status.st_size if stat.S_ISREG(status.st_mode) else 0  # a pipe has no end to look at
        whole = self._end_of_whole_lines(end)
        if whole < end and self._is_half_a_row(whole, end):
            os.ftruncate(self._file, whole)
        elif whole < end:  # somebody else's line, which nobody ended: it stays
            line, whole = b"\n" + line, end
        written = os.write(self._file, line)
        if written < len(line):  # a full disk takes a part: no part is better
            with suppress(OSError):
                os.ftruncate(self._file, whole)
            raise OSError(None, "the disk took only a part of it")

    def _is_half_a_row(self, start: int, end: int) -> bool:
        """Whether what stands there can be what a killed writer left."""
        found = self._read(start, min(end - start, len(_BEGINNING)))
        return _BEGINNING.startswith(found)

    def _end_of_whole_lines(self, end: int) -> int:
        """Where the last line that has an end ends."""
        block = 4096
        while end > 0:
            start = max(0, end - block)
            newline = self._read(start, end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
        return 0

    def _read(self, start: int, size: int) -> bytes:
        if hasattr(os, "pread"):  # forked writers share the position in the file
            return os.pread(self._file, size, start)
        os.lseek(self._file, start, os.SEEK_SET)
        return os.read(self._file, size)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One writer at a time. The end of a process ends its turn."""
        try:
            import fcntl
        except ImportError:  # Windows: an append is one write, and that has to do
            yield
            return
        # Two locks: the first keeps logs of one process apart, the second the writers that were forked from one.
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(self._file, fcntl.LOCK_EX)
        with suppress(OSError):
            fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.lockf(self._file, fcntl.LOCK_UN)
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_UN)
