"""When nothing is written, and what is left when writing fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aldo.errors import UsageError
from aldo.validate.example import WITH_CLOUD
from aldo.validate.fix import fix_files
from tests.support.cli import aldo
from tests.validate.fixes.mending import AMBIGUOUS, DAY, MENDED, TODAY


def test_a_file_with_nothing_to_mend_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(WITH_CLOUD, "utf-8")
    before = file.stat()
    assert aldo("lint", "--fix", str(file), ALDO_TODAY=DAY).returncode == 0
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_file_that_others_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    done = fix_files([file], today=TODAY).files[0]
    theirs = AMBIGUOUS + "# theirs\n"
    file.write_text(theirs, "utf-8")
    with pytest.raises(UsageError, match="changed meanwhile") as raised:
        done.write()
    assert raised.value.exit_code == 2
    assert file.read_text("utf-8") == theirs
    assert [path.name for path in tmp_path.iterdir()] == ["models.yaml"]


def test_a_file_that_is_gone_meanwhile_is_not_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    done = fix_files([file], today=TODAY).files[0]
    file.unlink()
    with pytest.raises(UsageError):
        done.write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_write_that_fails_leaves_the_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    done = fix_files([file], today=TODAY).files[0]

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(UsageError, match="No space left on device"):
        done.write()
    monkeypatch.undo()
    assert file.read_text("utf-8") == AMBIGUOUS
    assert [path.name for path in tmp_path.iterdir()] == ["models.yaml"]


def test_a_directory_that_takes_no_file_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in for the system's refusal, because root may write anywhere."""
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    done = fix_files([file], today=TODAY).files[0]

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(UsageError, match="Permission denied; it is as it was"):
        done.write()
    assert file.read_text("utf-8") == AMBIGUOUS


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_directory_ends_with_2_and_a_message(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    tmp_path.chmod(0o555)
    try:
        done = aldo("lint", "--fix", str(file), ALDO_TODAY=DAY)
    finally:
        tmp_path.chmod(0o755)
    assert (done.returncode, "cannot be written" in done.stderr) == (2, True)
    assert file.read_text("utf-8") == AMBIGUOUS


def test_a_file_that_cannot_be_written_does_not_keep_the_others_from_being_mended(tmp_path: Path) -> None:
    """A name of 255 letters leaves no room for a file beside it."""
    long, other = tmp_path / ("a" * 250 + ".yaml"), tmp_path / "b.yaml"
    for file in (long, other):
        file.write_text(AMBIGUOUS, "utf-8")
    done = aldo("lint", "--fix", str(long), str(other), ALDO_TODAY=DAY)
    assert "Traceback" not in done.stderr
    if long.read_text("utf-8") == AMBIGUOUS:
        assert done.returncode == 2
        assert "cannot be written" in done.stderr
    assert other.read_text("utf-8") == MENDED
