"""Builds the wheel and the sdist, from a copy of what git knows: nothing of a work tree gets in by chance."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.cases import ROOT

DISTRIBUTION = "aldo-gateway"
EPOCH = "1700000000"  # any moment of the past


@dataclass(frozen=True)
class Built:
    wheel: Path
    sdist: Path


def tracked(*, new: bool = True) -> list[str]:
    """The files that git tracks and that are there; with `new` also those that it would take."""
    command = ["git", "ls-files", "-z", "--cached", *(["--others", "--exclude-standard"] if new else [])]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return sorted({name for name in listed if name and (ROOT / name).is_file()})


def copy_tree(into: Path) -> Path:
    """The sources, tests and documents included, at another place."""
    for name in tracked():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, into / name)
    return into


def build(source: Path, into: Path, *targets: str) -> list[Path]:
    """What hatchling builds of a source tree, without an environment of its own and without a network."""
    into.mkdir(parents=True, exist_ok=True)
    before = set(into.iterdir())
    chosen = [argument for target in targets for argument in ("-t", target)]
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(into), *chosen],
        cwd=source,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(set(into.iterdir()) - before)


def build_both(place: Path) -> Built:
    """A wheel and an sdist of the tree as it is now."""
    source = copy_tree(place / "source")
    (wheel,) = build(source, place / "wheel", "wheel")
    (sdist,) = build(source, place / "sdist", "sdist")
    return Built(wheel, sdist)


def files_of(wheel: Path) -> list[str]:
    """The paths in a wheel, sorted."""
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())
