"""`aldo keys new`: a key is shown once, and its file holds no key."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aldo.api.door.keys import read_keys
from aldo.cli.main import cli


def new(name: str, path: Path | str) -> Result:
    return CliRunner().invoke(cli, ["keys", "new", "--file", str(path), "--", name])


def key_of(done: Result) -> str:
    assert done.exit_code == 0, done.stderr
    return done.stdout.removesuffix("\n")


def refused(done: Result, *words: str) -> None:
    said = " ".join(done.stderr.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert said.startswith("error: ") and all(word in said for word in words), said


def test_a_key_is_printed_once_and_its_file_has_the_hash_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    done = new("alice", path)
    key = key_of(done)
    assert re.fullmatch(r"aldo-[A-Za-z0-9_-]{43}", key)
    assert key not in done.stderr and "alice" in done.stderr and "once" in done.stderr
    assert path.read_text() == f"alice sha256:{hashlib.sha256(key.encode()).hexdigest()}\n"
    assert key.removeprefix("aldo-") not in path.read_text()
    assert read_keys(path).owner(f"Bearer {key}".encode()) == "alice"
    assert [one.name for one in tmp_path.iterdir()] == ["keys.txt"]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_a_file_that_is_made_is_its_owners_alone(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        key_of(new("alice", tmp_path / "keys.txt"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys.txt").stat().st_mode) == 0o600


def test_the_mode_of_a_file_that_is_there_is_its_owners_affair(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    key_of(new("alice", path))
    path.chmod(0o640)
    key_of(new("bob", path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_every_key_is_another_and_each_lets_in(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    names = [f"client-{n}" for n in range(20)]
    keys = [key_of(new(name, path)) for name in names]
    assert len(set(keys)) == len(keys)
    found = read_keys(path)
    assert found.names == tuple(names)
    assert [found.owner(f"Bearer {key}".encode()) for key in keys] == names


def test_a_name_that_is_there_already_is_refused_and_its_key_still_holds(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    key = key_of(new("alice", path))
    before = path.read_bytes()
    refused(new("alice", path), str(path), "'alice' already", "nothing was written")
    assert path.read_bytes() == before
    assert read_keys(path).owner(f"Bearer {key}".encode()) == "alice"


@pytest.mark.parametrize("name", ["Alice", "a", "7", "alice@example.test", "team_a.ci-2", "a" * 64])
def test_what_may_be_a_name_is_read_back(name: str, tmp_path: Path) -> None:
    key = key_of(new(name, tmp_path / "keys.txt"))
    assert read_keys(tmp_path / "keys.txt").owner(f"Bearer {key}".encode()) == name


@pytest.mark.parametrize(
    "name",
    ["", " ", "two words", "-dash", ".dot", "@at", "a" * 65, "a\nb", "#x", "a#b", "a:b", "a/b", "é", "a\x00b"],
    ids=repr,
)
def test_what_could_not_be_read_back_is_no_name_and_no_file_is_made(name: str, tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    refused(new(name, path), "is no name for a key")
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"apiVersion: aldo/models.v1\n",
        b"alice aldo-a-key-in-the-clear\n",
        b"alice sha256:abc\n",
        b"\x80\x81\xff",
        b"# notes\n\nbuy milk\n",
    ],
)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    done = new("bob", path)
    refused(done, str(path))
    assert path.read_bytes() == content
    assert "in-the-clear" not in done.stderr and "milk" not in done.stderr


def test_a_last_line_without_its_end_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    alice = key_of(new("alice", path))
    path.write_text(path.read_text().removesuffix("\n"))
    bob = key_of(new("bob", path))
    found = read_keys(path)
    assert [found.owner(f"Bearer {key}".encode()) for key in (alice, bob)] == ["alice", "bob"]
    assert path.read_text().count("\n") == 2


def test_an_empty_file_is_one_without_keys_yet(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    for content in ("", "\n\n"):
        path.write_text(content)
        key_of(new("alice", path))
        assert read_keys(path).names == ("alice",)


@pytest.mark.parametrize("name", ["alice\n", "alice\n ", "alice\r"], ids=repr)
def test_a_name_with_a_line_end_is_refused(name: str, tmp_path: Path) -> None:
    """It would leave a file of keys that nobody can read any more."""
    path = tmp_path / "keys.txt"
    key_of(new("bob", path))
    before = path.read_bytes()
    refused(new(name, path), "is no name for a key")
    assert path.read_bytes() == before


COMMENTED = "# keys of the team\n"


def test_a_file_of_comments_alone_takes_its_first_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_text(COMMENTED)
    key_of(new("alice", path))
    assert path.read_text().startswith(COMMENTED) and read_keys(path).names == ("alice",)


def test_the_last_key_can_be_taken_back_and_given_anew(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    old = key_of(new("alice", path))
    path.write_text("")
    fresh = key_of(new("alice", path))
    found = read_keys(path)
    assert (found.owner(f"Bearer {old}".encode()), found.owner(f"Bearer {fresh}".encode())) == (None, "alice")


def test_comments_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    key_of(new("alice", path))
    path.write_text(COMMENTED + path.read_text())
    before = path.read_text()
    key_of(new("bob", path))
    assert path.read_text().startswith(before)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    refused(new("alice", tmp_path / "none" / "keys.txt"), "keys.txt cannot be written")
    refused(new("alice", tmp_path), "cannot be written")
    refused(new("alice", ""), "--file is empty")
    assert list(tmp_path.iterdir()) == []


def test_a_file_must_be_named() -> None:
    done = CliRunner().invoke(cli, ["keys", "new", "alice"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--file" in done.stderr
