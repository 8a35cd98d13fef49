"""The fixtures that pytest finds: `aldo_catalog`, `aldo_routes`, `aldo_models`. Nothing is loaded until one is needed.

The ini options `aldo_catalog` and `aldo_overlays` say which catalog is meant, relative to the ini file; without them
it is the one that every command takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from aldo.schema.catalog import Catalog
    from aldo.testing.play import PlayModels
    from aldo.testing.routes import Routes


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini options."""
    parser.addini("aldo_catalog", "The catalog of the fixtures of aldo.", type="paths", default=[])
    parser.addini("aldo_overlays", "Its overlays, in order.", type="paths", default=[])


@pytest.fixture(scope="session")
def aldo_catalog(pytestconfig: pytest.Config) -> Catalog:
    """The catalog; a project may have a fixture of this name instead."""
    from aldo.catalog.chosen import chosen_catalog

    named = [str(path) for path in pytestconfig.getini("aldo_catalog")]
    if len(named) > 1:
        raise pytest.UsageError("aldo_catalog names more than one file")
    overlays = tuple(str(path) for path in pytestconfig.getini("aldo_overlays"))
    return chosen_catalog(named[0] if named else None, overlays)


@pytest.fixture(scope="session")
def aldo_routes(aldo_catalog: Catalog) -> Routes:
    """Assertions about its routes: `aldo_routes("fast-draft", "sensitive").stays_local()`."""
    from aldo.testing.routes import Routes

    return Routes(aldo_catalog)


@pytest.fixture
def aldo_models() -> Iterator[PlayModels]:
    """Plays the models for the rest of the test: `models = aldo_models("Paris")`, then whatever asks a model."""
    from aldo.transport.fake import FakeModels

    with ExitStack() as stack:
        yield lambda script: stack.enter_context(FakeModels(script).installed())
