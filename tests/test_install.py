"""The commands a user types to install: in an empty environment, from nothing but the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.cases import ROOT


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of a fresh virtual environment."""
    place = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    return place / ("Scripts" if os.name == "nt" else "bin")


def _run(*command: str | Path, cwd: Path) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ALDO_", "PYTHONPATH"))}
    env["ALDO_TODAY"] = "2026-11-22"
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_pip_install_then_aldo_route_works_away_from_the_checkout(environment: Path, tmp_path: Path) -> None:
    _run(environment / "pip", "install", "--quiet", "--disable-pip-version-check", ".", cwd=ROOT)
    shown = _run(environment / "aldo", "route", "--class", "local-reasoning", "--privacy", "sensitive", cwd=tmp_path)
    assert shown.startswith("mlx-qwen2.5-7b-instruct-4bit\n")
    assert "No findings" in _run(environment / "aldo", "lint", cwd=tmp_path)
    located = _run(environment / "python", "-c", "import aldo; print(aldo.__file__)", cwd=tmp_path)
    assert str(ROOT) not in located


def test_the_wheel_holds_the_package_its_data_and_nothing_else(environment: Path, tmp_path: Path) -> None:
    pip = environment / "pip"
    _run(pip, "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "-w", tmp_path, ".", cwd=ROOT)
    (wheel,) = tmp_path.glob("aldo_gateway-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"aldo", "aldo_gateway"}
    for data in ("models.yaml", "py.typed", "schema/kinds/mlx.json", "schema/published/catalog.schema.json"):
        assert f"aldo/{data}" in names
