"""A llama.cpp server and the shipped catalog, for all tests of discovery."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aldo.catalog import load_catalog
from aldo.schema import Catalog
from tests.support.cases import MODELS
from tests.support.llamacpp_server import LlamaCppServer, smollm2


@pytest.fixture(scope="module")
def llamacpp() -> Iterator[LlamaCppServer]:
    with LlamaCppServer(smollm2(), context=512) as server:
        yield server


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_catalog(MODELS)
