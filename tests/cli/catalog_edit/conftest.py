"""A place to edit for every test: a directory with a base catalog and one overlay."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.catalog_edit.places import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
