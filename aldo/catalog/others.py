"""The files that are no catalogs: agents, policies, examples of routing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.kinds import read_by
from aldo.catalog.load import errors_of
from aldo.catalog.reader import read_document
from aldo.catalog.spans import PathPart
from aldo.errors import CatalogError, Related

if TYPE_CHECKING:
    from pydantic import BaseModel

    from aldo.schema.agent import Agent
    from aldo.schema.policy import RoutingPolicy
    from aldo.schema.route_tests import RouteTests

Loaded = TypeVar("Loaded", bound="BaseModel")


def load_agent(path: str | os.PathLike[str]) -> Agent:
    """The agent in a file (`schema: aldo-ai/agent.v1`). Raises `CatalogError` as `load_catalog` does."""
    document = read_document(os.fspath(path))
    agent = agent_of(document)
    errors = errors_of(document.sorted_findings())
    if agent is None or errors:
        raise CatalogError(errors)
    return agent


def agent_of(document: Document) -> Agent | None:
    """The agent of a document, or None; what is wrong with it is added to the document's findings."""
    from aldo.catalog.suites.checks import classes_of_agent, report_near_class
    from aldo.schema.agent import AGENT_SCHEMA, Agent  # most commands read no agent

    agent = value_of_kind(document, Agent, "an agent file", {"schema": AGENT_SCHEMA})
    for path, name in classes_of_agent(document.value):
        report_near_class(document, name, path)
    return agent


def load_policy(path: str | os.PathLike[str]) -> RoutingPolicy:
    """The policy in a file (`kind: RoutingPolicy`), for `prove`. Raises `CatalogError` as `load_catalog` does."""
    from aldo.schema.policy import POLICY_KIND, POLICY_VERSION, RoutingPolicy

    header = {"apiVersion": POLICY_VERSION, "kind": POLICY_KIND}
    return _load(path, RoutingPolicy, "a routing policy", header, named=("never", "always"))


def load_route_tests(path: str | os.PathLike[str]) -> RouteTests:
    """The examples in a file (`kind: RouteTests`), for `aldo test`. Raises `CatalogError` as `load_catalog` does."""
    from aldo.schema.route_tests import ROUTE_TESTS_KIND, ROUTE_TESTS_VERSION, RouteTests

    header = {"apiVersion": ROUTE_TESTS_VERSION, "kind": ROUTE_TESTS_KIND}
    return _load(path, RouteTests, "a file of route tests", header)


def _load(
    path: str | os.PathLike[str], model: type[Loaded], what: str, header: dict[str, str], named: tuple[str, ...] = ()
) -> Loaded:
    """The value of a file of another kind, told apart by its header. In the lists `named` no name may stand twice."""
    document = read_document(os.fspath(path))
    loaded = value_of_kind(document, model, what, header, named)
    errors = errors_of(document.sorted_findings())
    if loaded is None or errors:
        raise CatalogError(errors)
    return loaded


def value_of_kind(
    document: Document, model: type[Loaded], what: str, header: dict[str, str], named: tuple[str, ...] = ()
) -> Loaded | None:
    """The value of a document that begins as `header` says, or None with what is wrong added to its findings."""
    from aldo.catalog.structure import check

    begins = "it begins with " + " and ".join(f"`{key}: {expected}`" for key, expected in header.items())
    if document.value is None:  # an empty file is told how a catalog begins
        document.findings[:] = [f._replace(hint=begins) if f.message == "is empty" else f for f in document.findings]
    if not document.readable:
        return None
    value = document.value
    if not isinstance(value, dict) or any(value.get(key) != expected for key, expected in header.items()):
        said = read_by(value)
        document.report_at(codes.WRONG_KIND, f"is not {what}", (), hint=f"{begins}; {said}" if said else begins)
        return None
    _report_duplicate_names(document, value, named)
    return check(document, model, value)


def _report_duplicate_names(document: Document, value: dict[str, Any], lists: tuple[str, ...]) -> None:
    first: dict[str, tuple[PathPart, ...]] = {}
    for key in lists:
        items = value.get(key)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            name = item.get("name") if isinstance(item, dict) else None
            path = (key, index, "name")
            if not isinstance(name, str) or first.setdefault(name, path) == path:
                continue
            related = Related(document.path, document.locate(first[name]), "first given here")
            message = f"the name {name!r} stands twice"
            document.report_at(codes.DUPLICATE_ID, message, path, hint="rename one of the two", related=(related,))
