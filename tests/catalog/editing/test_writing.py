"""A file is replaced whole or not at all: through kills, failing system calls, links, and writers at the same time.

What no test here shows: a change by a writer without a lock between the last comparison and the replacement. No call
lies between the two, and the system offers none that does both.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aldo import UsageError
from aldo.catalog import read_document, write
from aldo.catalog.document import Document
from aldo.catalog.editing.text import Text
from aldo.catalog.write import create, replace_text

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="interrupts a forked process")

OLD = "# head\nmodels:\n- id: a   # first\n  x: 'é'\n" + "# filler\n" * 500
NEW = OLD.replace("x: 'é'", "x: 'ü 😀'\n  y: 2")
AFTER = NEW + "z: 3\n"
KILLED = 77


@pytest.fixture(params=["\n", "\r\n"], ids=["LF", "CRLF"])
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file of the old text, with a byte order mark and a mode of its own."""
    path = tmp_path / "m.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + OLD.replace("\n", request.param).encode())
    path.chmod(0o640)
    return path


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def ended(path: Path, text: str) -> str:
    return text.replace("\n", "\r\n") if b"\r\n" in path.read_bytes() else text


class Calls:
    """Stands for `os` in the writing code: counts its system calls, and does something at one of them."""

    PURE = ("path", "fspath", "strerror")

    def __init__(self, at: int = -1, act: Callable[[str, Callable[[], Any]], Any] | None = None) -> None:
        self.made: list[str] = []
        self.at = at
        self.act = act

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name in self.PURE or not callable(real):
            return real

        def call(*arguments: Any, **options: Any) -> Any:
            self.made.append(name)
            if len(self.made) - 1 == self.at and self.act is not None:
                return self.act(name, lambda: real(*arguments, **options))
            return real(*arguments, **options)

        return call


def counted(document: Document, text: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of one undisturbed write; the file is put back afterwards."""
    path = Path(document.path)
    before, mode = path.read_bytes(), path.stat().st_mode
    calls = Calls()
    with monkeypatch.context() as patched:
        patched.setattr(write, "os", calls)
        replace_text(document, text)
    assert path.read_bytes() != before
    path.write_bytes(before)
    path.chmod(stat.S_IMODE(mode))
    return calls.made


def in_child(work: Callable[[], None]) -> int:
    """The exit code of a forked child that does the work; 1 where that raises."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def kill_before(_: str, __: Callable[[], Any]) -> None:
    os._exit(KILLED)


def kill_after(_: str, real: Callable[[], Any]) -> None:
    try:
        real()
    finally:  # a call may have failed, as to take away what is not there
        os._exit(KILLED)


def test_the_writing_syncs_the_new_bytes_before_they_take_the_name_and_the_directory_after_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = read_document(str(file))
    made = counted(document, ended(file, NEW), monkeypatch)
    assert made.count("replace") == 1
    replaced = made.index("replace")
    assert "fsync" in made[made.index("write") : replaced]
    assert "fsync" in made[replaced:]
    assert "chmod" in made[:replaced] or "fchmod" in made[:replaced]
    assert made[replaced - 3 : replaced].count("read") + made[replaced - 3 : replaced].count("close") >= 2, (
        "compared just before"
    )


@pytest.mark.parametrize("kill", [kill_before, kill_after])
def test_a_kill_at_any_call_leaves_the_old_or_the_new_file_whole_and_the_next_edit_clears_up(
    file: Path, kill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = read_document(str(file))
    new = ended(file, NEW)
    made = counted(document, new, monkeypatch)
    old_bytes, new_bytes = file.read_bytes(), b"\xef\xbb\xbf" + new.encode()
    seen = set()
    assert len(made) > 10
    for number, name in enumerate(made):

        def work(number: int = number) -> None:
            write.os = Calls(number, kill)  # type: ignore[attr-defined]
            replace_text(document, new)

        assert in_child(work) == KILLED, name
        found = file.read_bytes()
        assert found in (old_bytes, new_bytes), (number, name)
        assert stat.S_IMODE(file.stat().st_mode) == 0o640, (number, name)
        seen.add(found)
        again = read_document(str(file))
        replace_text(again, ended(file, AFTER))
        assert file.read_bytes() == b"\xef\xbb\xbf" + ended(file, AFTER).encode()
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert names(file.parent) == ["m.yaml"], (number, name)
        file.write_bytes(old_bytes)
    assert seen == {old_bytes, new_bytes}


def failing_before(number: int) -> Callable[..., Any]:
    def act(_: str, __: Callable[[], Any]) -> None:
        raise OSError(number, os.strerror(number))

    return act


def failing_after(number: int) -> Callable[..., Any]:
    def act(_: str, real: Callable[[], Any]) -> None:
        real()
        raise OSError(number, os.strerror(number))

    return act


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT])
def test_an_error_at_any_call_leaves_the_file_whole_and_nothing_beside_it(
    file: Path, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = read_document(str(file))
    new = ended(file, NEW)
    made = counted(document, new, monkeypatch)
    old_bytes, new_bytes = file.read_bytes(), b"\xef\xbb\xbf" + new.encode()
    told = 0
    for number, name in enumerate(made):
        for failing in (failing_before, failing_after):
            if failing is failing_after and name in ("replace", "open"):
                continue  # no system does either and then says that it did not
            if failing is failing_before and name == "close":
                continue  # what cannot be closed well is closed all the same
            with monkeypatch.context() as patched:
                patched.setattr(write, "os", Calls(number, failing(error)))
                refused = None
                try:
                    replace_text(document, new)
                except UsageError as problem:
                    refused = problem
            found = file.read_bytes()
            where = (number, name, failing.__name__)
            assert found == (old_bytes if refused else new_bytes), where
            assert stat.S_IMODE(file.stat().st_mode) == 0o640, where
            assert names(file.parent) == ["m.yaml"], where
            if refused is not None:
                told += 1
                assert refused.exit_code == 2
                assert str(file) in str(refused)
                assert os.strerror(error) in str(refused)
            file.write_bytes(old_bytes)
    assert told > 5


def test_a_short_write_is_carried_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Calls):
        def write(self, handle: int, data: Any) -> int:
            self.made.append("write")
            return os.write(handle, bytes(data)[:100])

    slow = Slow()
    monkeypatch.setattr(write, "os", slow)
    replace_text(read_document(str(file)), ended(file, NEW))
    assert slow.made.count("write") > 40
    assert file.read_bytes() == b"\xef\xbb\xbf" + ended(file, NEW).encode()


def test_an_interrupt_at_any_call_leaves_the_file_whole_and_nothing_beside_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: str, __: Callable[[], Any]) -> None:
        raise KeyboardInterrupt

    document = read_document(str(file))
    new = ended(file, NEW)
    made = counted(document, new, monkeypatch)
    old_bytes, new_bytes = file.read_bytes(), b"\xef\xbb\xbf" + new.encode()
    for number, name in enumerate(made):
        with monkeypatch.context() as patched:
            patched.setattr(write, "os", Calls(number, interrupt))
            with pytest.raises(KeyboardInterrupt):
                replace_text(document, new)
        assert file.read_bytes() in (old_bytes, new_bytes), (number, name)
        assert names(file.parent) == ["m.yaml"], (number, name)
        file.write_bytes(old_bytes)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755, 0o4755])
def test_the_mode_stays(file: Path, mode: int) -> None:
    file.chmod(mode)
    replace_text(read_document(str(file)), NEW)
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give a file away")
def test_the_owner_stays_where_root_edits(file: Path) -> None:
    os.chown(file, 12345, 54321)
    file.chmod(0o640)
    replace_text(read_document(str(file)), NEW)
    after = file.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (12345, 54321, 0o640)


def test_the_new_bytes_are_never_more_readable_than_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.chmod(0o600)
    modes = set()

    class Watching(Calls):
        def write(self, handle: int, data: Any) -> int:
            modes.update(stat.S_IMODE(beside.stat().st_mode) for beside in file.parent.iterdir())
            return os.write(handle, data)

    monkeypatch.setattr(write, "os", Watching())
    replace_text(read_document(str(file)), NEW)
    assert modes == {0o600}


@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_stays_a_link_and_what_it_leads_to_is_replaced(file: Path, absolute: bool) -> None:
    elsewhere = file.parent / "sub"
    elsewhere.mkdir()
    first, second = elsewhere / "one.yaml", elsewhere / "two.yaml"
    first.symlink_to(file if absolute else Path("..") / file.name)
    second.symlink_to(first if absolute else "one.yaml")
    replace_text(read_document(str(second)), ended(file, NEW))
    assert second.is_symlink()
    assert first.is_symlink()
    assert not file.is_symlink()
    assert file.read_bytes() == b"\xef\xbb\xbf" + ended(file, NEW).encode()
    assert names(elsewhere) == ["one.yaml", "two.yaml"]
    assert names(file.parent) == ["m.yaml", "sub"]


@pytest.mark.parametrize("mode", [0o444, 0o400, 0o555])
def test_a_read_only_file_is_refused_by_root_too(file: Path, mode: int) -> None:
    before = file.read_bytes()
    file.chmod(mode)
    with pytest.raises(UsageError, match="read-only"):
        replace_text(read_document(str(file)), NEW)
    assert file.read_bytes() == before
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert names(file.parent) == ["m.yaml"]


CHANGES: tuple[Callable[[Path], object], ...] = (
    lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[3:]),
    lambda path: path.write_bytes(path.read_bytes().replace(b"first", b"fir5t")),
    lambda path: path.unlink(),
    lambda path: (path.unlink(), path.mkdir()),
)


@pytest.mark.parametrize("change", CHANGES, ids=["longer", "empty", "no mark", "one letter", "gone", "a directory"])
def test_a_change_between_reading_and_writing_is_told_and_kept(file: Path, change: Callable[[Path], object]) -> None:
    document = read_document(str(file))
    change(file)
    left = file.read_bytes() if file.is_file() else None
    with pytest.raises(UsageError) as told:
        replace_text(document, NEW)
    assert str(file) in str(told.value)
    assert (file.read_bytes() if file.is_file() else None) == left
    assert names(file.parent) in (["m.yaml"], [])
    if left is not None:
        assert "changed" in str(told.value)


def test_a_change_by_one_who_takes_no_turn_is_seen_until_the_file_is_replaced(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every call of ours but those after the last comparison has begun to read."""
    document = read_document(str(file))
    new = ended(file, NEW)
    made = counted(document, new, monkeypatch)
    old_bytes = file.read_bytes()
    compared = len(made) - 1 - made[::-1].index("read", made[::-1].index("replace"))
    last_opened = max(n for n, name in enumerate(made[:compared]) if name == "open")
    for number in range(last_opened + 1):

        def act(_: str, real: Callable[[], Any]) -> Any:
            file.write_bytes(b"other: 1\n")
            return real()

        with monkeypatch.context() as patched:
            patched.setattr(write, "os", Calls(number, act))
            with pytest.raises(UsageError, match="changed"):
                replace_text(document, new)
        assert file.read_bytes() == b"other: 1\n"
        assert names(file.parent) == ["m.yaml"]
        file.write_bytes(old_bytes)


def test_what_a_killed_writer_left_is_no_obstacle_whatever_it_is(file: Path) -> None:
    beside = file.parent / ".m.yaml.aldo-new"
    precious = file.parent / "precious"
    precious.write_text("kept")
    for leave in (lambda: beside.write_bytes(b"half"), lambda: beside.symlink_to(precious)):
        leave()
        replace_text(read_document(str(file)), ended(file, NEW))
        assert names(file.parent) == ["m.yaml", "precious"]
        assert precious.read_text() == "kept"
        file.write_bytes(b"\xef\xbb\xbf" + ended(file, OLD).encode())


@pytest.mark.parametrize("name", ["a b é😀.yaml", "x" * 250, "-in", ".hidden"])
def test_a_file_of_any_name_is_replaced(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(OLD)
    replace_text(read_document(name), NEW)
    assert Path(name).read_text() == NEW
    assert names(tmp_path) == [name]


def test_two_files_of_one_directory_do_not_take_each_others_place(tmp_path: Path) -> None:
    both = ["x" * 220 + end for end in ("a", "b")]
    for name in both:
        (tmp_path / name).write_text(OLD)
    first, second = (read_document(str(tmp_path / name)) for name in both)
    replace_text(first, NEW)
    replace_text(second, AFTER)
    assert [(tmp_path / name).read_text() for name in both] == [NEW, AFTER]


def test_lone_carriage_returns_and_a_missing_last_end_arrive_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    for data in (b"a: 1\rb: 2\r", b"a: 1\r\nb: 2\n", b"a: 1", b"\xef\xbb\xbfa: 1\r\n"):
        path.write_bytes(data)
        document = read_document(str(path))
        replace_text(document, document.text + "# é")
        assert path.read_bytes() == data + "# é".encode()


def test_a_new_file_never_takes_the_place_of_one(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    create(str(path), "a: 1\n")
    with pytest.raises(UsageError, match="exists"):
        create(str(path), "b: 1\n")
    dangling = tmp_path / "link.yaml"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError):
        create(str(dangling), "b: 1\n")
    assert path.read_text() == "a: 1\n"
    assert not (tmp_path / "nowhere").exists()
    for bad in (str(tmp_path), str(tmp_path / "no" / "such"), "nul\0", ""):
        with pytest.raises(UsageError):
            create(bad, "b: 1\n")


def _one_of_many(path: str, number: int, start: Any, results: Any) -> None:
    document = read_document(path)
    start.wait(30)
    for attempt in range(40):
        try:
            text = Text(document).set(("models", 0, f"f{number}"), number).document.text
            replace_text(document, text)
        except UsageError as error:
            assert "changed" in str(error), error
            document = read_document(path)
            assert document.value is not None, "never half a file"
        else:
            results.put((number, attempt))
            return
    results.put((number, None))


def test_of_many_writers_at_once_each_succeeds_or_is_told_and_no_success_is_lost(file: Path) -> None:
    context = multiprocessing.get_context("fork")
    many = 8
    start, results = context.Barrier(many), context.Queue()
    children = [
        context.Process(target=_one_of_many, args=(str(file), n, start, results), daemon=True) for n in range(many)
    ]
    for child in children:
        child.start()
    done = dict(results.get(timeout=30) for _ in children)
    for child in children:
        child.join()
    assert {child.exitcode for child in children} == {0}
    written = {number for number, attempt in done.items() if attempt is not None}
    entry = read_document(str(file)).value["models"][0]
    assert {name for name in entry if name.startswith("f")} == {f"f{number}" for number in written}
    assert written == set(range(many)), "somebody comes first each time, so forty tries are enough for eight"
    assert any(attempt for attempt in done.values()), "all read the same file, so all but the first were told"
    assert names(file.parent) == ["m.yaml"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_writer_waits_for_the_turn_of_another(file: Path) -> None:
    """The second one's comparison comes after the first one's replacement: it sees the change."""
    import fcntl

    document = read_document(str(file))
    new = ended(file, NEW)
    handle = os.open(file.parent, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    context = multiprocessing.get_context("fork")
    ready, results = context.Event(), context.Queue()
    child = context.Process(target=_second, args=(document, new, handle, ready, results), daemon=True)
    child.start()
    assert ready.wait(30)
    file.write_bytes(b"first: 1\n")
    os.close(handle)
    told = results.get(timeout=30)
    child.join()
    assert "changed" in told
    assert file.read_bytes() == b"first: 1\n"


def _second(document: Document, new: str, handle: int, ready: Any, results: Any) -> None:
    os.close(handle)  # a fork shares the lock of the one it comes from
    ready.set()
    try:
        replace_text(document, new)
    except UsageError as error:
        results.put(str(error))
    else:
        results.put("written")


@pytest.fixture(autouse=True)
def _own_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)
