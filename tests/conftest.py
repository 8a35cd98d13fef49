"""Fixtures that several rooms' tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.mlx_server import MlxServer
from tests.support.tiny_model import build_tiny_model, quantize

OVERLAY_HEADER = "apiVersion: aldo/models.v1\nkind: ModelCatalogOverlay"

# `make test` draws the same examples every time; `make test-all` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.register_profile("fuzz", deadline=None, print_blob=True, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random qwen2 model of a few megabytes, made on the spot."""
    return build_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def quantized_model(tiny_model: Path) -> Path:
    """Its 4-bit conversion, by mlx_lm itself."""
    return quantize(tiny_model, tiny_model.parent / "tiny-4bit")


@pytest.fixture(scope="session")
def mlx_tiers(mlx: MlxServer, quantized_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An overlay in which the two MLX entries of the shipped catalog are two servers: the model and its conversion."""
    with MlxServer(quantized_model) as quantized:
        servers = {"mlx-qwen2.5-7b-instruct-4bit": quantized, "mlx-qwen2.5-7b-instruct-bf16": mlx}
        lines = [f"  {name}: {{ providerConfig: {{ baseUrl: {one.base_url} }} }}" for name, one in servers.items()]
        overlay = tmp_path_factory.mktemp("tiers") / "servers.yaml"
        overlay.write_text("\n".join([OVERLAY_HEADER, "override:", *lines, ""]), "utf-8")
        yield overlay


@pytest.fixture(scope="session")
def mlx(tiny_model: Path) -> Iterator[MlxServer]:
    """A real mlx_lm.server, one for the whole run."""
    with MlxServer(tiny_model) as server:
        yield server
