"""Fixtures that several rooms' tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.mlx_server import MlxServer
from tests.support.tiny_model import build_tiny_model

# `make test` draws the same examples every time; `make test-all` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random qwen2 model of a few megabytes, made on the spot."""
    return build_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def mlx(tiny_model: Path) -> Iterator[MlxServer]:
    """A real mlx_lm.server, one for the whole run."""
    with MlxServer(tiny_model) as server:
        yield server
