"""Fixtures that several rooms' tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mlx_server import MlxServer
from tests.support.tiny_model import build_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random qwen2 model of a few megabytes, made on the spot."""
    return build_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def mlx(tiny_model: Path) -> Iterator[MlxServer]:
    """A real mlx_lm.server, one for the whole run."""
    with MlxServer(tiny_model) as server:
        yield server
