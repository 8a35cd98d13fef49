"""A directory of a module and two catalogs in it whose difference has every kind of change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.diff.pairs import EVERY_KIND, written


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("diff")


@pytest.fixture(scope="module")
def every_kind(here: Path) -> tuple[str, str]:
    return written(here / "base.yaml", *EVERY_KIND[0]), written(here / "head.yaml", *EVERY_KIND[1])
