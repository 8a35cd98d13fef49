"""Interpreters of this machine, and empty virtual environments of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
PROBE = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
ROUTE = """
from importlib import resources
import aldo
catalog = aldo.load_catalog(resources.files("aldo") / "models.yaml")
decision = aldo.route(catalog, aldo.RouteRequest(capability_class="local-reasoning", privacy="sensitive"))
print(aldo.__version__, decision.model)
"""


def clean_environment() -> dict[str, str]:
    """The environment without what would lead aldo or Python to another place; prices are of a known day."""
    ours = ("ALDO_", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
        "ALDO_TODAY": "2026-11-22",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def run(*command: str | Path, cwd: Path, timeout: float = 900, **environment: str) -> str:
    """What a command printed; that it failed is told with all that it said."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and an empty folder to run commands in."""

    place: Path
    folder: Path

    @classmethod
    def make(cls, interpreter: Path, place: Path) -> Environment:
        folder = place / "empty"
        folder.mkdir(parents=True)
        run(interpreter, "-m", "venv", place / "venv", cwd=folder)
        return cls(place / "venv", folder)

    def program(self, name: str) -> Path:
        return self.place / ("Scripts" if os.name == "nt" else "bin") / name

    @property
    def python(self) -> Path:
        return self.program("python")

    def pip(self, *arguments: str | Path) -> str:
        return run(self.python, "-m", "pip", *arguments, cwd=self.folder)

    def aldo(self, *arguments: str) -> str:
        return run(self.program("aldo"), *arguments, cwd=self.folder)


def smoke(environment: Environment, version: str) -> None:
    """What anybody does first with an installed aldo, away from any checkout."""
    assert environment.aldo("--version") == f"aldo, version {version}\n"
    assert "No findings" in environment.aldo("lint")
    routed = environment.aldo("route", "--class", "local-reasoning", "--privacy", "sensitive")
    model = routed.partition("\n")[0]
    assert "local" in routed
    assert environment.aldo("prove")
    assert run(environment.python, "-c", ROUTE, cwd=environment.folder) == f"{version} {model}\n"
    environment.pip("check")


def uv() -> Path | None:
    """uv, on PATH or beside this interpreter."""
    found = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    return Path(found) if found else None


def index_for_uv() -> dict[str, str]:
    """uv does not read pip's settings: the index and the certificates that pip was told of."""
    names = {"UV_DEFAULT_INDEX": "global.index-url", "SSL_CERT_FILE": "global.cert"}
    told = {}
    for name, setting in names.items():
        done = subprocess.run(
            [sys.executable, "-m", "pip", "config", "get", setting], capture_output=True, text=True, check=False
        )
        if name not in os.environ and done.returncode == 0 and done.stdout.strip():
            told[name] = done.stdout.strip()
    return told


def _candidates(version: str) -> Iterator[Path]:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield Path(sys.executable)
    for folder in os.get_exec_path():
        yield Path(folder) / f"python{version}"
    yield from sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python3"))
    program = uv()
    if program is not None:
        command = [str(program), "python", "find", "--no-python-downloads", version]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        if found.returncode == 0:
            yield Path(found.stdout.strip())


@cache
def interpreter(version: str) -> Path | None:
    """The first interpreter that runs, is of this version, and can make environments with pip."""
    for candidate in _candidates(version):
        if not candidate.is_file():
            continue
        done = subprocess.run([candidate, "-c", PROBE], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() == version:
            return candidate
    return None


def any_interpreter() -> Path:
    """The newest that is here: this one at least."""
    found = (interpreter(version) for version in reversed(VERSIONS))
    return next(path for path in found if path is not None)
