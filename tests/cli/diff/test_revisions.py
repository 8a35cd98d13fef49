"""`aldo diff` of files, revisions and standard input, and what cannot be read."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.diff.pairs import EVERY_KIND, diff_json, written
from tests.support.cli import aldo


def git(cwd: Path, *arguments: str) -> None:
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, env={**os.environ, **who, **quiet})


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("repository")
    (place / "sub").mkdir()
    git(place, "init", "-q", "-b", "main")
    for revision in (0, 1):
        written(place / "models.yaml", *EVERY_KIND[revision])
        written(place / "sub" / "x.yaml", *EVERY_KIND[revision])
        git(place, "add", ".")
        git(place, "commit", "-qm", f"revision {revision}")
        git(place, "tag", f"v{revision}")
    return place


def test_revisions_and_files_of_the_same_content_give_the_same_difference(
    repository: Path, every_kind: tuple[str, str]
) -> None:
    told = diff_json(*every_kind)
    for base, head, cwd in (
        ("v0:models.yaml", "models.yaml", repository),
        ("HEAD~1:./x.yaml", "x.yaml", repository / "sub"),
        ("main~1:sub/x.yaml", "v1:models.yaml", repository / "sub"),
    ):
        assert diff_json(base, head, cwd=cwd) == told, base


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("nope:models.yaml", "nope"),
        ("HEAD:nope.yaml", "nope.yaml"),
        ("HEAD:sub", "sub"),
        ("--textconv:models.yaml", "--textconv:models.yaml"),
        ("nope.yaml", "no such file"),
    ],
)
def test_a_revision_that_cannot_be_read_is_named_with_what_to_check(base: str, said: str, repository: Path) -> None:
    done = aldo("diff", "--", base, "models.yaml", cwd=repository)
    assert (done.returncode, done.stdout) == (2, "")
    assert base in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_defect_in_a_revision_has_its_line(repository: Path) -> None:
    (repository / "broken.yaml").write_text("apiVersion: aldo/models.v1\nkind: ModelCatalog\nmodels:\n  - idd: a\n")
    git(repository, "add", "broken.yaml")
    git(repository, "commit", "-qm", "broken")
    done = aldo("diff", "HEAD:broken.yaml", "models.yaml", cwd=repository)
    assert (done.returncode, done.stdout) == (2, "")
    assert "HEAD:broken.yaml:4:5:" in done.stderr


def test_a_name_that_is_too_long_for_a_file_is_not_called_an_output(repository: Path) -> None:
    done = aldo("diff", f"{'a' * 300}:models.yaml", "models.yaml", cwd=repository)
    assert done.returncode == 2
    assert "output" not in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xff", "is not UTF-8"),
        (b"apiVersion: aldo/policy.v1\nkind: RoutingPolicy\nnever: []\n", "aldo/policy.v1"),
        (b"apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay\nadd: []\n", "ModelCatalogOverlay"),
    ],
    ids=str,
)
def test_what_is_no_catalog_is_unreadable_input_and_the_side_is_named(
    content: bytes, said: str, every_kind: tuple[str, str]
) -> None:
    done = aldo("diff", every_kind[0], "-", stdin=content)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "<stdin>" in done.stderr


def test_standard_input_and_a_bare_list_are_catalogs_as_well(here: Path, every_kind: tuple[str, str]) -> None:
    bare = here / "bare.yaml"
    bare.write_text(json.dumps(EVERY_KIND[0]), "utf-8")
    done = aldo("diff", str(bare), "-", "--json", stdin=Path(every_kind[1]).read_bytes())
    assert json.loads(done.stdout) == diff_json(*every_kind)


@pytest.mark.parametrize("arguments", [("a",), ("a", "b", "--format", "yaml"), ("a", "b", "--format", "text")])
def test_bad_usage_ends_with_2_and_as_json_where_json_was_asked(arguments: tuple[str, ...]) -> None:
    done = aldo("diff", *arguments, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"
