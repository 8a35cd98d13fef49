"""The wheel alone, in empty environments of every Python that is here, and with each extra."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from aldo import __version__
from tests.packaging.building import DISTRIBUTION, Built, build_both
from tests.packaging.environments import VERSIONS, Environment, any_interpreter, interpreter, run, smoke
from tests.support.cases import ROOT

pytestmark = pytest.mark.heavy

EXTRAS = {
    "serve": "import aldo.api.server, uvicorn, uvloop, httptools, aiohttp, prometheus_client",
    "eval": "import aldo.eval, numpy, scipy, re2, tqdm, vl_convert",
    "replay": "import aldo.replay, duckdb, pyarrow",
    "otel": "import opentelemetry.sdk.trace, opentelemetry.exporter.otlp.proto.http.trace_exporter",
}
DECLARED = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"])
# Hundreds of megabytes, and the tests of the transports use them.
RESOLVED_ONLY = {"mlx", "demo"} & DECLARED


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_both(tmp_path_factory.mktemp("built"))


def _interpreter(version: str) -> Path:
    found = interpreter(version)
    if found is None:
        pytest.skip(f"no Python {version} is installed here")
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_the_wheel_alone_works_on(version: str, built: Built, tmp_path: Path) -> None:
    environment = Environment.make(_interpreter(version), tmp_path)
    environment.pip("install", "--quiet", built.wheel)
    assert run(environment.python, "--version", cwd=tmp_path).startswith(f"Python {version}.")
    smoke(environment, __version__)


def test_the_sdist_works(built: Built, tmp_path: Path) -> None:
    environment = Environment.make(any_interpreter(), tmp_path)
    environment.pip("install", "--quiet", built.sdist)
    smoke(environment, __version__)


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_wheel_installs_with_the_extra(extra: str, built: Built, tmp_path: Path) -> None:
    environment = Environment.make(any_interpreter(), tmp_path)
    environment.pip("install", "--quiet", f"{DISTRIBUTION}[{extra}] @ {built.wheel.as_uri()}")
    run(environment.python, "-c", EXTRAS[extra], cwd=environment.folder)
    smoke(environment, __version__)


@pytest.mark.parametrize("extra", sorted(RESOLVED_ONLY))
def test_the_extra_resolves(extra: str, built: Built, tmp_path: Path) -> None:
    environment = Environment.make(any_interpreter(), tmp_path)
    wish = f"{DISTRIBUTION}[{extra}] @ {built.wheel.as_uri()}"
    assert "Would install" in environment.pip("install", "--dry-run", "--only-binary", ":all:", wish)


def test_every_extra_is_tried() -> None:
    assert {*EXTRAS, *RESOLVED_ONLY} == DECLARED


def test_every_python_that_the_classifiers_name_is_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    named = {line.removeprefix(prefix) for line in project["classifiers"] if line.startswith(prefix)}
    assert {f"3.{minor}" for minor in named} <= set(VERSIONS)
