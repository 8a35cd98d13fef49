"""Which catalog is meant where none is named: the same for every command and for `aldo.testing`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from aldo.catalog.revision import load_catalog_at
from aldo.errors import UsageError

if TYPE_CHECKING:
    from aldo.schema.catalog import Catalog


def catalog_path(given: str | None) -> str:
    """The catalog to use: the option, the environment, the working directory, the package."""
    if given == "":
        raise UsageError("--catalog is empty; name a file")
    if given is not None:
        return given
    if os.environ.get("ALDO_CATALOG"):
        return os.environ["ALDO_CATALOG"]
    if Path("models.yaml").exists():
        return "models.yaml"
    return shipped_catalog()


def chosen_overlays(given: tuple[str, ...]) -> tuple[str, ...]:
    """The overlays to lay over it: the options, else the environment, whose files are separated as in PATH."""
    if not all(given):
        raise UsageError("--overlay is empty; name a file")
    return given or tuple(path for path in os.environ.get("ALDO_OVERLAYS", "").split(os.pathsep) if path)


def chosen_catalog(catalog: str | None, overlays: tuple[str, ...]) -> Catalog:
    """The catalog to use with its overlays. Raises `CatalogError` where they cannot be used."""
    return load_catalog_at(catalog_path(catalog), chosen_overlays(overlays))


def chosen_name(catalog: str | None, overlays: tuple[str, ...]) -> str:
    """What `chosen_catalog` takes, as it is told to people: the file, and what lies over it."""
    path = catalog_path(catalog)
    name = "the catalog that ships with aldo" if path == shipped_catalog() else path
    return " + ".join([name, *chosen_overlays(overlays)])


def shipped_catalog() -> str:
    """The catalog inside the installed package; in a checkout it lies beside the package."""
    package = Path(__file__).parents[1]
    for place in (package / "models.yaml", package.parent / "models.yaml"):
        if place.is_file():
            return str(place)
    raise UsageError("no catalog: give --catalog FILE or set ALDO_CATALOG")
