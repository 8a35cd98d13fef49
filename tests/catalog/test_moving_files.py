"""A file that others write to while it is read."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from aldo.catalog import read_catalog, source
from tests.support.cases import MODELS


def _changing(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As though somebody wrote to the file during each of the first reads."""
    real, calls = os.fstat, iter(range(2 * times))

    def fstat(handle: int) -> object:
        found = real(handle)
        moved = next(calls, None)
        written = found.st_mtime_ns + (moved or 0)
        return SimpleNamespace(st_size=found.st_size, st_mtime_ns=written, st_mode=found.st_mode)

    monkeypatch.setattr(source.os, "fstat", fstat)


def test_a_file_that_comes_to_rest_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    _changing(2, monkeypatch)
    assert read_catalog(str(MODELS)).catalog is not None


def test_a_file_that_never_comes_to_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _changing(1000, monkeypatch)
    (finding,) = read_catalog(str(MODELS)).findings
    assert (finding.code, finding.unreadable) == ("AL108", True)
    assert "changes while it is read" in finding.message


def test_a_pipe_has_no_state_to_compare(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(MODELS.read_bytes(),))
    writer.start()
    file = read_catalog(str(pipe))
    writer.join()
    assert file.catalog is not None
