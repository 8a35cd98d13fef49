"""Catalogs as they were: `REV:path`, read from a git repository that the test makes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from aldo.catalog import load_catalog
from aldo.catalog.revision import is_revision, load_catalog_at
from aldo.errors import CatalogError

CATALOG = """\
apiVersion: aldo/models.v1
kind: ModelCatalog
models:
  - id: {id}
    provider: one
    providerKind: openai-compat
    locality: cloud
    capabilityClass: fast-draft
    provides: [streaming]
    privacyAllowed: [public]
    effectiveContextTokens: 4096
    cost: {{ usdPerMtokIn: 1, usdPerMtokOut: 2 }}
    description: größer 😀
"""


def git(cwd: Path, *arguments: str) -> None:
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, env={**os.environ, **who, **quiet})


def catalog(model: str) -> str:
    return CATALOG.format(id=model)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits; what lies in the working tree is a third state."""
    place = tmp_path_factory.mktemp("repository")
    (place / "sub" / "deep").mkdir(parents=True)
    git(place, "init", "-q", "-b", "main")
    for number in (1, 2):
        (place / "models.yaml").write_text(catalog(f"top-{number}"), "utf-8")
        (place / "sub" / "x.yaml").write_text(catalog(f"sub-{number}"), "utf-8")
        (place / "a b: c.yaml").write_text(catalog(f"odd-{number}"), "utf-8")
        (place / "größe.yaml").write_text(catalog(f"umlaut-{number}"), "utf-8")
        (place / "crlf.yaml").write_bytes(b"\xef\xbb\xbf" + catalog(f"crlf-{number}").replace("\n", "\r\n").encode())
        (place / "latin.yaml").write_bytes(b"# \xe9\n")
        (place / "empty.yaml").write_bytes(b"")
        git(place, "add", ".")
        git(place, "commit", "-qm", f"number {number}")
        git(place, "tag", f"v{number}")
    git(place, "branch", "feature/x")
    (place / "models.yaml").write_text(catalog("top-now"), "utf-8")
    return place


@pytest.mark.parametrize(
    ("place", "where", "model"),
    [
        ("v1:models.yaml", ".", "top-1"),
        ("HEAD:models.yaml", ".", "top-2"),
        ("HEAD~1:models.yaml", "sub/deep", "top-1"),
        ("main:sub/x.yaml", ".", "sub-2"),
        ("HEAD:./x.yaml", "sub", "sub-2"),
        ("HEAD^:../x.yaml", "sub/deep", "sub-1"),
        ("HEAD:../models.yaml", "sub", "top-2"),
        ("feature/x:models.yaml", ".", "top-2"),
        ("HEAD^{/number 1}:models.yaml", ".", "top-1"),
        ("v1:a b: c.yaml", ".", "odd-1"),
        ("v1:größe.yaml", ".", "umlaut-1"),
        ("v1:crlf.yaml", ".", "crlf-1"),
        ("models.yaml", ".", "top-now"),
        ("./models.yaml", ".", "top-now"),
        ("a b: c.yaml", ".", "odd-2"),
    ],
)
def test_a_revision_is_read_as_git_reads_it_and_a_file_as_it_lies_there(
    place: str, where: str, model: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / where)
    loaded = load_catalog_at(place)
    assert [entry.id for entry in loaded.models] == [model]
    assert loaded.models[0].description == "größer 😀"


def test_a_revision_has_the_digest_of_the_file_it_was(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    (tmp_path / "same.yaml").write_text(catalog("top-1"), "utf-8")
    assert load_catalog_at("v1:models.yaml").digest == load_catalog(tmp_path / "same.yaml").digest


def test_a_file_whose_name_is_that_of_a_revision_comes_first(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "sub")
    odd = repository / "sub" / "v1:models.yaml"
    odd.write_text(catalog("a-file"), "utf-8")
    try:
        assert not is_revision("v1:models.yaml")
        assert load_catalog_at("v1:models.yaml").models[0].id == "a-file"
    finally:
        odd.unlink()
    assert load_catalog_at("v1:models.yaml").models[0].id == "top-1"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nope:models.yaml", "nope"),
        ("HEAD:nope.yaml", "nope.yaml"),
        ("HEAD:x.yaml", "x.yaml"),
        ("HEAD:sub", "HEAD:sub"),
        ("0" * 40 + ":models.yaml", "0" * 40),
        ("HEAD:latin.yaml", "is not UTF-8"),
        ("HEAD:empty.yaml", "is empty"),
        ("nope.yaml", "no such file"),
        ("--batch", "no such file"),
        ("--help:models.yaml", "no such file"),
        ("-p:models.yaml", "no such file"),
        ("HEAD\n:models.yaml", "no such file"),
        (":", "no such file"),
        ("HEAD:", "no such file"),
    ],
)
def test_what_cannot_be_read_is_one_finding_under_the_name_that_was_given(
    place: str, said: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    with pytest.raises(CatalogError) as error:
        load_catalog_at(place)
    (finding,) = error.value.findings
    assert (finding.path, finding.code) == (place, "AL108")
    assert said in finding.message


def test_outside_of_a_repository_and_without_git_the_finding_says_so(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError, match="not a git repository"):
        load_catalog_at("HEAD:models.yaml")
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CatalogError, match="no git"):
        load_catalog_at("HEAD:models.yaml")


def test_a_defect_in_a_revision_is_told_under_its_name_with_line_and_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "m.yaml").write_text(catalog("a").replace("locality: cloud", "locality: clod"), "utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    (tmp_path / "m.yaml").unlink()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError) as error:
        load_catalog_at("HEAD:m.yaml")
    (finding,) = error.value.findings
    assert (finding.place, finding.hint) == ("HEAD:m.yaml:7:15", "did you mean 'cloud'?")


def test_a_name_longer_than_a_file_may_have_is_no_such_file(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    with pytest.raises(CatalogError):
        load_catalog_at("a" * 300 + ":models.yaml")


def test_reading_a_revision_leaves_the_repository_as_it_is(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    before = {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*") if path.is_file()}
    load_catalog_at("v1:models.yaml")
    assert {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*") if path.is_file()} == before
