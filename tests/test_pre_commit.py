"""The hooks of `.pre-commit-hooks.yaml`: pre-commit clones this repository, installs it with pip and runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from aldo import __version__
from tests.docs.test_documents import SNIPPETS
from tests.support.cases import MODELS, ROOT

MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(MANIFEST.read_text("utf-8"))}
(DOCUMENTED,) = (
    yaml.safe_load(one.text) for one in SNIPPETS if one.place.startswith("docs/how-to/ci.md:") and "repos:" in one.text
)
GOOD = MODELS.read_text("utf-8")
BAD = GOOD.replace("locality: local", "locality: lokal", 1)
BARE = """\
- id: a   # the only one
  provider: mlx
  providerKind: mlx
  locality: local
  capabilityClass: local-reasoning
  provides: [streaming]
  privacyAllowed: [public, internal, sensitive]
  effectiveContextTokens: 32768
  cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
"""
# Of the caller's environment: a hook that runs these tests, CI, and pre-commit's own variables.
FOREIGN = ("ALDO_", "GIT_", "GITHUB_", "PRE_COMMIT", "PYTHON", "SKIP", "VIRTUALENV_")


def _environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return env | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "ALDO_TODAY": "2026-11-22",
        "PIP_NO_COMPILE": "1",
    }


def _run(*command: str | Path, cwd: Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = _environment() | ({} if home is None else {"PRE_COMMIT_HOME": str(home)})
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def _git(*arguments: str, cwd: Path) -> str:
    done = _run("git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# `try-repo` builds an environment and throws it away; here it keeps it in PRE_COMMIT_HOME, as `run` does.
PRE_COMMIT = """
import sys
from pre_commit.commands import try_repo
from pre_commit.main import main
from pre_commit.store import Store
try_repo.Store = lambda _: Store()
sys.exit(main(sys.argv[1:]))
"""


def _pre_commit(*arguments: str | Path, cwd: Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    return _run(sys.executable, "-c", PRE_COMMIT, *arguments, cwd=cwd, home=home)


@dataclass(frozen=True)
class Scratch:
    """A user's repository."""

    place: Path

    def holds(self, **files: str) -> Scratch:
        """The same with these files and no others, staged; `__` in a name is a slash."""
        for old in self.place.iterdir():
            if old.name != ".git":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        for name, text in files.items():
            file = self.place / f"{name.replace('__', '/')}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        _git("add", "--all", cwd=self.place)
        return self


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    _git("init", "--quiet", ".", cwd=tmp_path)
    return Scratch(tmp_path)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as the next commit would leave it. `try-repo` on the checkout would miss new files."""
    place = tmp_path_factory.mktemp("hooks") / "aldo"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    _git("init", "--quiet", ".", cwd=place)
    _git("add", "--all", cwd=place)
    _git("commit", "--quiet", "--message", "x", cwd=place)
    return place


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps the environment of the hooks, built once for all tests."""
    return tmp_path_factory.mktemp("pre-commit")


def _configuration(hooks: Sequence[dict[str, object]], repository: Path, scratch: Scratch) -> Path:
    """A file beside the scratch repository. It names the hooks' as `try-repo` does: environments go by name."""
    name, revision = os.path.relpath(repository, scratch.place), _git("rev-parse", "HEAD", cwd=repository).strip()
    file = scratch.place.with_suffix(".yaml")
    file.write_text(yaml.safe_dump({"repos": [{"repo": name, "rev": revision, "hooks": hooks}]}), "utf-8")
    return file


def test_the_manifest_and_the_documented_configuration_are_valid(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(DOCUMENTED), "utf-8")
    for command, file in (("validate-manifest", MANIFEST), ("validate-config", tmp_path / "config.yaml")):
        done = _pre_commit(command, file, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_the_documented_configuration_names_a_hook_and_the_version_of_this_tree() -> None:
    (repo,) = DOCUMENTED["repos"]
    assert repo["rev"] == f"v{__version__}"
    assert {hook["id"] for hook in repo["hooks"]} <= HOOKS.keys()


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(
    ("path", "checked"),
    [
        ("models.yaml", True),
        ("models.yml", True),
        ("deploy/eu/models.yaml", True),
        ("models/frontier.yaml", True),
        ("deploy/models/local.yml", True),
        ("my-models.yaml", False),
        ("models.yaml.md", False),
        ("models/deep/chart.yaml", False),
        ("data_models/a.yaml", False),
        (".github/workflows/ci.yaml", False),
        ("models.yaml/readme.md", False),
    ],
)
def test_a_hook_checks_catalogs_by_name_and_nothing_else(hook: str, path: str, checked: bool) -> None:
    assert bool(re.search(HOOKS[hook]["files"], path)) == checked


def test_try_repo_passes_a_good_catalog_and_leaves_other_files_alone(
    repository: Path, home: Path, scratch: Scratch
) -> None:
    scratch.holds(models=GOOD, deploy__chart="not: a catalog\n")
    done = _pre_commit("try-repo", repository, "aldo-lint", "--all-files", "--verbose", cwd=scratch.place, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^No findings.*\(1 file,", done.stdout, re.MULTILINE)


def test_try_repo_fails_a_bad_catalog_and_shows_the_finding(repository: Path, home: Path, scratch: Scratch) -> None:
    scratch.holds(models=BAD, models__good=GOOD)
    done = _pre_commit("try-repo", repository, "aldo-lint", "--all-files", cwd=scratch.place, home=home)
    assert done.returncode == 1, done.stdout + done.stderr
    line = BAD.splitlines().index("    locality: lokal") + 1
    assert f"--> models.yaml:{line}:15" in done.stdout
    assert "did you mean 'local'?" in done.stdout
    assert re.search(r"^1 error, .*\(2 files,", done.stdout, re.MULTILINE)


def test_the_documented_configuration_passes_a_good_catalog_and_fails_a_bad_one(
    repository: Path, home: Path, scratch: Scratch
) -> None:
    (repo,) = DOCUMENTED["repos"]
    config = _configuration(repo["hooks"], repository, scratch)
    for text, code, shown in ((GOOD, 0, "Passed"), (BAD, 1, "error[AL106]")):
        done = _pre_commit("run", "--config", config, cwd=scratch.holds(models=text).place, home=home)
        assert (done.returncode, shown in done.stdout) == (code, True), done.stdout + done.stderr


def test_the_fixing_hook_mends_and_fails_once_then_passes(repository: Path, home: Path, scratch: Scratch) -> None:
    config = _configuration([{"id": "aldo-lint-fix"}], repository, scratch)
    first = _pre_commit("run", "--config", config, cwd=scratch.holds(models=BARE).place, home=home)
    assert first.returncode == 1, first.stdout + first.stderr
    assert "files were modified by this hook" in first.stdout
    mended = (scratch.place / "models.yaml").read_text("utf-8")
    assert mended == f"apiVersion: aldo/models.v1\nkind: ModelCatalog\nmodels:\n{BARE}"
    _git("add", "--all", cwd=scratch.place)
    second = _pre_commit("run", "--config", config, cwd=scratch.place, home=home)
    assert second.returncode == 0, second.stdout + second.stderr
    assert (scratch.place / "models.yaml").read_text("utf-8") == mended
