"""Catalog files: read with positions, checked against the types of `schema`.

What may enter: files. This room is the only user of the YAML libraries; it knows nothing of routing.
"""

from aldo.catalog.load import CatalogFile, catalog_of, load_catalog, read_catalog
from aldo.catalog.others import load_agent, load_policy, load_route_tests
from aldo.catalog.reader import parse_text, read_document

__all__ = [
    "CatalogFile",
    "catalog_of",
    "load_agent",
    "load_catalog",
    "load_policy",
    "load_route_tests",
    "parse_text",
    "read_catalog",
    "read_document",
]
