"""The log of an evaluation: JSON lines, appended the moment there is something to tell, never rewritten.

One run at a time may write to a log. A writer that is killed in the middle of a line leaves half a line at most,
which the next one takes away; every line before it stands.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aldo.errors import UsageError
from aldo.schema.canonical import digest
from aldo.schema.evaluation import (
    Record,
    RunRecord,
    SampleKey,
    SampleRecord,
    ScoreRecord,
    line_of,
)
from aldo.schema.frozen import thawed
from aldo.schema.suite import Case
from aldo.schema.usage import UsageRow

_BEGINNING = b'{"kind": "'  # of every line


@dataclass
class LogContents:
    """What a log says. Of an answer that was asked for twice, because the first came to nothing, the last holds."""

    path: str
    runs: list[RunRecord] = field(default_factory=list)
    samples: dict[SampleKey, SampleRecord] = field(default_factory=dict)
    superseded: dict[SampleKey, tuple[UsageRow, ...]] = field(default_factory=dict)
    """What was used up by answers that were asked for again."""
    scores: dict[tuple[SampleKey, str, str], ScoreRecord] = field(default_factory=dict)
    """By answer, evaluator, and the digest of what it looked for."""
    first_at: str = ""
    last_at: str = ""

    @property
    def run(self) -> RunRecord:
        """The last one: what the log is about. Raises `UsageError` where there is none."""
        if not self.runs:
            raise UsageError(f"{self.path} tells of no run: it is no log of aldo eval, or an empty one")
        return self.runs[-1]

    def add(self, record: RunRecord | SampleRecord | ScoreRecord) -> None:
        if isinstance(record, RunRecord):
            self.runs.append(record)
        elif isinstance(record, SampleRecord):
            before = self.samples.get(record.key)
            if before is not None and before.usage:
                self.superseded[record.key] = self.superseded.get(record.key, ()) + before.usage
            self.samples[record.key] = record
        else:
            self.scores[record.key, record.evaluator, record.evaluator_digest] = record
        at = "" if isinstance(record, ScoreRecord) else record.at
        self.first_at = self.first_at or at
        self.last_at = max(self.last_at, at)


def grade_digest(evaluator_digest: str, case: Case) -> str:
    """Of all that a grade depends on but the answer."""
    return digest([evaluator_digest, case.input, thawed(case.ground_truth), list(case.tags)])


def keys(run: RunRecord) -> Iterable[tuple[SampleKey, Case]]:
    """Every answer that a whole run has, model after model."""
    for arm in run.models:
        for repeat in range(run.repeat):
            for case in run.cases:
                yield (run.suite_digest, arm.parameters, arm.model, case.id, repeat), case


def read_log(path: str | os.PathLike[str]) -> LogContents:
    """What a log says. Half a line at its end is left out: its writer was killed, or is writing.

    Raises `UsageError` for a file that cannot be read, and for a line that is none of ours.
    """
    contents = LogContents(os.fspath(path))
    try:
        with open(contents.path, "rb") as file:  # noqa: PTH123 - a name with a NUL is an error to tell, too
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n") and line.strip():
                    contents.add(_record(contents.path, number, line))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"{contents.path} cannot be read: {reason}") from None
    return contents


def _record(path: str, number: int, line: bytes) -> Any:
    from pydantic import ValidationError

    try:
        return _adapter().validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "".join(f"{part}: " for part in [".".join(map(str, first["loc"]))] if part)
        raise UsageError(f"{path}:{number}: no line of an evaluation's log: {place}{first['msg']}") from None


def _adapter() -> Any:
    from pydantic import TypeAdapter

    global _made
    if _made is None:
        _made = TypeAdapter(Record)
    return _made


_made: Any = None


class EvalLog:
    """A log that is being written. Use as a context manager.

    Without `resume` the file must be new, or empty. Raises `UsageError` where it cannot be written, where another run
    is writing to it, and where it is something else.
    """

    def __init__(self, path: str | os.PathLike[str], *, resume: bool = False) -> None:
        self.path: str = os.fspath(path)
        self._is_new = False
        is_new = not os.path.lexists(self.path)
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
            self._file = os.open(self.path, flags, 0o600)  # prompts and answers stand in it
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise UsageError(f"the log {self.path} cannot be written: {reason}") from None
        try:
            self._take()
            size = os.fstat(self._file).st_size
            if size and not resume:
                raise UsageError(f"{self.path} exists already: --resume goes on with it, or name another --log")
            self.contents: LogContents = read_log(self.path)
            self._cut_half_a_line(size)
            self._is_new = is_new and not size
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> EvalLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, and let another run have it. One that was made for nothing is taken away."""
        if self._file >= 0:
            if self._is_new and not os.fstat(self._file).st_size:
                with suppress(OSError):
                    Path(self.path).unlink()
            os.close(self._file)
            self._file = -1

    def write(self, record: RunRecord | SampleRecord | ScoreRecord) -> None:
        """Append a line. Raises `UsageError` where the disk does not take it: what is not remembered is lost."""
        line = line_of(record).encode() + b"\n"
        before = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, line)
            if written < len(line):
                raise OSError(None, "the disk took only a part of a line")
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, before)
            raise UsageError(f"the log {self.path} cannot be written: {error.strerror}") from None
        self.contents.add(_record(self.path, 0, line))  # just what a reader will read

    def _take(self) -> None:
        """One writer at a time. The end of a process, however it comes, gives it back."""
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another run is writing to {self.path}") from None
        except OSError:  # some network file systems have no locks
            return

    def _cut_half_a_line(self, size: int) -> None:
        end, block = size, 1 << 16
        while end:
            start = max(0, end - block)
            os.lseek(self._file, start, os.SEEK_SET)
            newline = os.read(self._file, end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end == size:
            return
        os.lseek(self._file, end, os.SEEK_SET)
        if not _BEGINNING.startswith(os.read(self._file, len(_BEGINNING))):
            raise UsageError(f"{self.path} ends in half a line that is none of ours; nothing was written to it")
        os.ftruncate(self._file, end)
