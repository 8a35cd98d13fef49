"""Whatever a path leads to: a clear finding with its place, exit 2, bounded, and never a traceback."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aldo.catalog import load_catalog, read_catalog
from aldo.errors import CatalogError
from tests.support.lint_process import lint

HEAD = "apiVersion: aldo/models.v1\nkind: ModelCatalog\nmodels:\n"
ENTRY = """  - id: {id}
    provider: p
    providerKind: openai-compat
    locality: local
    capabilityClass: fast-draft
    provides: [streaming]
    privacyAllowed: [public]
    effectiveContextTokens: 100
    cost: {{ usdPerMtokIn: 0, usdPerMtokOut: 0.25 }}
"""
GOOD = HEAD + ENTRY.format(id="good")


def bomb(opening: str, closing: str, item: str, levels: int) -> str:
    lines = [f"a0: &a0 {opening}{item}{closing}"]
    for level in range(1, levels):
        named = opening == "{"
        parts = [f"k{n}: *a{level - 1} " if named else f"*a{level - 1}" for n in range(10)]
        lines.append(f"a{level}: &a{level} {opening}{', '.join(parts)}{closing}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Bad:
    """The bytes of a file, the code of its one finding, and the place of it where there is one."""

    data: bytes | str
    code: str
    place: tuple[int, int] | str | None = "anywhere"

    @property
    def bytes(self) -> bytes:
        return self.data if isinstance(self.data, bytes) else self.data.encode()


BAD: dict[str, Bad] = {
    "empty": Bad("", "AL108"),
    "blanks": Bad(" \n\n  \n", "AL108"),
    "only comments": Bad("# one\n# two\n", "AL108"),
    "only a document start": Bad("---\n", "AL108"),
    "only a mark": Bad("\ufeff", "AL108"),
    "null": Bad("null\n", "AL108"),
    "binary": Bad(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe", "AL108"),
    "latin-1": Bad(GOOD.encode() + "    description: caf\xe9\n".encode("latin-1"), "AL108", (13, 21)),
    "utf-16 with a mark": Bad(GOOD.encode("utf-16"), "AL108"),
    "utf-16 without a mark": Bad(GOOD.encode("utf-16-le"), "AL108"),
    "utf-32": Bad(GOOD.encode("utf-32"), "AL108"),
    "encoded surrogate": Bad(GOOD.encode() + b"    description: \xed\xa0\x80\n", "AL108", (13, 18)),
    "cut inside a character": Bad(GOOD.encode() + b"# \xf0\x9f\x98", "AL108", (13, 3)),
    "NUL": Bad(GOOD + "    description: a\x00b\n", "AL108", (13, 19)),
    "NUL at the end": Bad(GOOD + "\x00", "AL108", (13, 1)),
    "control character": Bad(GOOD + "    description: a\x1b[31mb\n", "AL108", (13, 19)),
    "DEL": Bad(GOOD + "# \x7f\n", "AL108", (13, 3)),
    "fifty megabytes": Bad(b"# filler of the file\n" * 2_500_000, "AL108"),
    "fifty megabytes of NUL": Bad(bytes(50_000_000), "AL108"),
    "map bomb": Bad(bomb("{", "}", "k: lol", 12), "AL111"),
    "list bomb": Bad(bomb("[", "]", "lol", 12), "AL111"),
    "scalar bomb": Bad("a: &a " + "x" * 10_000 + "\nb: [" + "*a, " * 200_000 + "]\n", "AL111"),
    "deep alias chain": Bad(
        bomb("[", "]", "x", 3) + "".join(f"b{n}: &b{n} [*{'a2' if n == 0 else f'b{n - 1}'}]\n" for n in range(5000)),
        "AL111",
    ),
    "cyclic list": Bad("apiVersion: aldo/models.v1\nkind: ModelCatalog\nmodels: &m\n  - *m\n", "AL111", (4, 5)),
    "cyclic map": Bad("&m\nmodels:\n  again: *m\n", "AL111", (3, 10)),
    "cyclic key": Bad("&m {*m : 1}\n", "AL111", (1, 5)),
    "cycle through two": Bad("a: &a\n  b: &b\n    c: [*a]\n", "AL111", (3, 9)),
    "unknown alias": Bad("models: *nowhere\n", "AL111", (1, 9)),
    "tab as indentation": Bad("models:\n\t- id: a\n", "AL101", (2, 1)),
    "tab inside an entry": Bad(GOOD + "\tdescription: x\n", "AL101", (13, 1)),
    "scalar": Bad("hello\n", "AL109", (1, 1)),
    "number": Bad("42\n", "AL109", (1, 1)),
    "another kind": Bad("apiVersion: aldo/models.v1\nkind: RoutingPolicy\nnever: []\n", "AL109", (2, 7)),
    "another product's file": Bad("schema: example.org/agents.v1\nname: x\n", "AL109"),
    "html": Bad("<!DOCTYPE html>\n<html><body>404</body></html>\n", "AL109", (1, 1)),
    "two documents": Bad(GOOD + "---\n" + GOOD, "AL110", (13, 1)),
    "two documents, second empty": Bad(GOOD + "---\n", "AL110", (13, 1)),
    "second document broken": Bad(GOOD + "---\n[\n", "AL110", (13, 1)),
    "deep flow lists": Bad("[" * 100_000, "AL101"),
    "deep closed flow lists": Bad("[" * 100_000 + "]" * 100_000, "AL101"),
    "deep flow maps": Bad("{a: " * 100_000, "AL101"),
    "deep block lists": Bad("- " * 100_000 + "x\n", "AL101"),
    "deep explicit keys": Bad("? " * 100_000, "AL101"),
    "deep indentation": Bad("".join(" " * n + "a:\n" for n in range(2000)), "AL101"),
    "lone surrogate escape": Bad('models: "\\ud800"\n', "AL101", (1, 12)),
    "escape beyond Unicode": Bad('models: "\\UFFFFFFFF"\n', "AL101", (1, 12)),
    "unknown escape": Bad('models: "\\q"\n', "AL101"),
    "long key": Bad("a" * 2000 + ": 1\n", "AL101"),
    "YAML 1.3": Bad("%YAML 1.3\n---\nmodels: []\n", "AL101", (1, 1)),
    "unknown tag handle": Bad("models: !x!y z\n", "AL101", (1, 9)),
}
"""Codes: reading the file AL108, its kind AL109, a second document AL110, aliases AL111, the rest is syntax."""


@pytest.fixture(params=list(BAD.values()), ids=list(BAD))
def bad(request: pytest.FixtureRequest) -> Bad:
    value: Bad = request.param
    return value


def test_a_bad_file_has_one_clear_finding_in_the_library(tmp_path: Path, bad: Bad) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(bad.bytes)
    file = read_catalog(str(path))
    assert file.catalog is None
    (finding,) = file.findings
    assert (finding.code, finding.severity, finding.unreadable) == (bad.code, "error", True)
    assert finding.path == str(path)
    assert 5 < len(finding.message) < 200
    if bad.place != "anywhere":
        assert (finding.span and (finding.span.line, finding.span.column)) == bad.place
    with pytest.raises(CatalogError) as raised:
        load_catalog(path)
    assert raised.value.findings == file.findings
    assert str(path) in str(raised.value)


def test_a_bad_file_ends_the_command_with_2_and_one_message(tmp_path: Path, bad: Bad) -> None:
    (tmp_path / "bad.yaml").write_bytes(bad.bytes)
    run = lint("bad.yaml", cwd=tmp_path)
    assert run.code == 2
    place = "bad.yaml" if not isinstance(bad.place, tuple) else f"bad.yaml:{bad.place[0]}:{bad.place[1]}"
    assert place in run.all
    assert len(run.all) < 2000


def test_many_bad_files_are_told_in_one_run(tmp_path: Path) -> None:
    names = {f"{number}.yaml": bad for number, bad in enumerate(BAD.values())}
    for name, bad in names.items():
        (tmp_path / name).write_bytes(bad.bytes)
    (tmp_path / "good.yaml").write_text(GOOD)
    run = lint(*names, "good.yaml", "--format", "json", cwd=tmp_path)
    told = json.loads(run.out)
    assert run.code == 2
    errors = [finding for finding in told["findings"] if finding["severity"] == "error"]
    assert [(finding["path"], finding["code"]) for finding in errors] == [
        (name, bad.code) for name, bad in names.items()
    ]
    assert told["checked"]["files"] == len(BAD) + 1


def missing(path: Path) -> None:
    pass


def directory(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nothing")


def looping(path: Path) -> None:
    path.symlink_to(path)


def below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("a file")


def forbidden(path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path.write_text(GOOD)
    path.chmod(0)


@pytest.mark.parametrize(
    "make", [missing, directory, dangling, looping, below_a_file, forbidden], ids=lambda make: make.__name__
)
def test_a_path_that_is_no_file_is_named_and_ends_with_2(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "room" / "models.yaml"
    path.parent.mkdir()
    make(path)
    (finding,) = read_catalog(str(path)).findings
    assert (finding.code, finding.span, finding.unreadable) == ("AL108", None, True)
    with pytest.raises(CatalogError):
        load_catalog(path)
    run = lint(path, cwd=tmp_path)
    assert run.code == 2
    assert run.all.count("models.yaml") == 1


@pytest.mark.parametrize("path", ["x" * 300, "a\0b", "", "x/" * 5000, "\udcff.yaml", "~", "\n"], ids=ascii)
def test_a_path_that_cannot_exist_is_a_finding(path: str) -> None:
    (finding,) = read_catalog(path).findings
    assert (finding.code, finding.span) == ("AL108", None)
    with pytest.raises(CatalogError):
        load_catalog(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_an_endless_device_ends_with_2(tmp_path: Path) -> None:
    run = lint("/dev/zero", cwd=tmp_path)
    assert run.code == 2
    assert "/dev/zero" in run.all


@pytest.mark.parametrize("by_stdin", [False, True])
def test_an_endless_pipe_ends_with_2(tmp_path: Path, by_stdin: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def feed() -> None:
        with pipe.open("wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(b"- id: again and again\n" * 3000)
            except BrokenPipeError:
                return

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    if by_stdin:
        with pipe.open("rb") as stream:
            run = lint("-", cwd=tmp_path, stdin=stream)
    else:
        run = lint(pipe, cwd=tmp_path)
    feeder.join(timeout=30)
    assert not feeder.is_alive()
    assert run.code == 2
    assert ("<stdin>" if by_stdin else "pipe") in run.all
