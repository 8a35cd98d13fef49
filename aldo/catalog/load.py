"""`load_catalog`: from a path to a catalog value, or to one error that carries every structural finding."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.edit import line_after, line_end_of, line_start_of
from aldo.catalog.kinds import read_by
from aldo.catalog.plain import is_plainly_valid
from aldo.catalog.reader import read_document
from aldo.catalog.spans import PathPart
from aldo.errors import CatalogError, Edit, Finding, Fix, Related
from aldo.schema.secrets import masked
from aldo.schema.vocabulary import API_VERSION, CATALOG_KIND

if TYPE_CHECKING:
    from pydantic import BaseModel

    from aldo.schema.agent import Agent
    from aldo.schema.catalog import Catalog
    from aldo.schema.entry import ModelEntry
    from aldo.schema.policy import RoutingPolicy
    from aldo.schema.route_tests import RouteTests


Loaded = TypeVar("Loaded", bound="BaseModel")

MOST_ENTRIES = 100_000
"""More are refused, so that a file full of defects does not fill the memory with findings."""


class CatalogFile:
    """A catalog file as read: its value where it has one, and all that is wrong with its structure."""

    def __init__(
        self,
        document: Document,
        entries: int = 0,
        value: dict[str, Any] | None = None,
        changed: list[Any] | None = None,
    ) -> None:
        """`changed`: the entries that are not known to be plainly valid; None for all of them."""
        self.document = document
        self.entries = entries
        self.is_plain: bool = False
        """Whether a glance told that the structure is valid. The value is then made when it is asked for."""
        self._value = value
        if value is not None:
            unspoilt = not document.odd_keys and not any(finding.severity == "error" for finding in document.findings)
            self.is_plain = unspoilt and is_plainly_valid(value, changed)
            if not self.is_plain:
                _ = self.salvaged

    @cached_property
    def salvaged(self) -> Catalog | None:
        """The value also where something is wrong that reading can pass over: a missing header, a key given twice."""
        if self._value is None:
            return None
        from aldo.catalog.structure import check  # loads pydantic
        from aldo.schema.catalog import Catalog

        return check(self.document, Catalog, self._value, () if self.prefix else ("models",))

    @property
    def catalog(self) -> Catalog | None:
        """The value, where nothing is wrong that would stop a load."""
        salvaged = self.salvaged
        stopped = any(finding.severity == "error" for finding in self.document.findings)
        return None if stopped else salvaged

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.document.sorted_findings()

    @property
    def models(self) -> list[Any]:
        """The entries as plain values, valid or not."""
        value = self.document.value
        models = value.get("models") if isinstance(value, dict) else value
        return models if isinstance(models, list) and self.entries else []

    @property
    def prefix(self) -> tuple[PathPart, ...]:
        """The path of the list of entries: a bare list has none."""
        return ("models",) if isinstance(self.document.value, dict) else ()

    @cached_property
    def readable_entries(self) -> dict[int, ModelEntry]:
        """The entries that are valid by themselves, by their place in the list."""
        from pydantic import ValidationError

        from aldo.schema.entry import ModelEntry

        if self.salvaged is not None:
            return dict(enumerate(self.salvaged.models))
        found = {}
        for index, value in enumerate(self.models):
            with suppress(ValidationError):
                found[index] = ModelEntry.model_validate(value, by_alias=True, by_name=False, context={"file": True})
        return found


def load_catalog(
    path: str | os.PathLike[str] | None = None, overlays: Iterable[str | os.PathLike[str]] = ()
) -> Catalog:
    """The catalog in a file, with overlays laid over it in the order given.

    Without a path it is the catalog that every command takes: `$ALDO_CATALOG`, else `./models.yaml`, else the one that
    ships with aldo; and without overlays those of `$ALDO_OVERLAYS`.

    Raises `CatalogError`, which carries every structural finding of the files with file, line and column, when
    one of them cannot be read, has a defect or does not fit the layers below. Performs no network access.
    """
    if path is None:
        from aldo.catalog.chosen import chosen_catalog

        return chosen_catalog(None, tuple(os.fspath(overlay) for overlay in overlays))
    if overlays == ():
        return value_or_error(read_catalog(os.fspath(path)))
    from aldo.catalog.layers.layered import read_layers  # most catalogs have one layer

    return read_layers(os.fspath(path), overlays).catalog()


def value_or_error(file: CatalogFile) -> Catalog:
    """The value of a file that was read; raises `CatalogError` where it has none."""
    if file.catalog is None:
        raise CatalogError(errors_of(file.findings))
    return file.catalog


def errors_of(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What stops a load; the rest is for `lint` to tell."""
    return tuple(finding for finding in findings if finding.severity == "error")


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


def read_catalog(path: str) -> CatalogFile:
    """A catalog file with its findings; never raises for what is in it. `-` is standard input."""
    return catalog_of(read_document(path))


def catalog_of(document: Document) -> CatalogFile:
    """The same for a document that was read."""
    if not document.readable or _is_a_ruin(document) or not _is_catalog(document):
        return CatalogFile(document)
    bare = isinstance(document.value, list)
    value: dict[str, Any] | None = {"models": document.value} if bare else {**document.value, **_HEADER}
    models = document.value if bare else document.value.get("models")
    entries = len(models) if isinstance(models, list) else 0
    if entries > MOST_ENTRIES:
        document.report_at(codes.WRONG_VALUE, f"more than {MOST_ENTRIES} entries", () if bare else ("models",))
        value = None
    file = CatalogFile(document, entries, value)
    if isinstance(models, list) and not file.is_plain:
        _report_duplicate_ids(document, models, () if bare else ("models",))
    return file


def _is_a_ruin(document: Document) -> bool:
    """Whether what is left of a file beside its unreadable parts is no list of entries: then those are told alone."""
    value = document.value.get("models") if isinstance(document.value, dict) else document.value
    return not isinstance(value, list) and any(finding.unreadable for finding in document.findings)


def _is_catalog(document: Document) -> bool:
    """Whether the document claims to be a catalog: a mapping of the right kind, or a bare list of entries."""
    value = document.value
    if isinstance(value, list):
        _report_bare_list(document)
        return True
    if not isinstance(value, dict):
        if value is not None:
            document.report_at(codes.WRONG_KIND, "is neither a catalog nor a list of entries", (), hint=_HEADER_HINT)
        return False
    wrong = [(key, expected) for key, expected in _HEADER.items() if key in value and value[key] != expected]
    has_entries = isinstance(value.get("models"), list)
    for key, expected in wrong if has_entries else wrong[:1]:  # of a stranger's file the kind says enough
        near = isinstance(value[key], str) and get_close_matches(value[key], [expected], cutoff=0.8)
        hint = f"did you mean {expected!r}?" if near else read_by(value) or "is this the file you meant?"
        document.report_at(codes.WRONG_KIND, f"{key} is {_shown(value[key])}, not {expected}", (key,), hint=hint)
    if wrong and not has_entries:
        return False
    if not {"kind", "apiVersion", "models"} & set(value):
        document.report_at(
            codes.WRONG_KIND,
            "is not a model catalog: it has neither apiVersion, kind nor models",
            (),
            hint=_HEADER_HINT,
        )
        return False
    for key in _HEADER:
        if key not in value:
            document.report(
                codes.MISSING_FIELD,
                f"the field {key!r} is missing",
                span=document.locate(()),
                hint=f"a catalog begins with `apiVersion: {API_VERSION}` and `kind: {CATALOG_KIND}`",
                fix=_inserted_header(document, key),
            )
    return True


def _inserted_header(document: Document, key: str) -> Fix:
    start, _ = document.offsets(())
    if document.text[start] == "{":
        return Fix(f"add {key}", (Edit(start + 1, start + 1, f'"{key}": "{_HEADER[key]}", '),), safe=True)
    text = f"{key}: {_HEADER[key]}{line_end_of(document.text)}"
    if key == "kind":  # behind apiVersion, where that stands on the first line
        behind = _behind_first_line(document, "apiVersion")
        start = start if behind is None else behind
    return Fix(f"add {key}", (Edit(start, start, text),), safe=True)


def _behind_first_line(document: Document, key: str) -> int | None:
    value = document.value
    if not isinstance(value, dict) or next(iter(value)) != key:
        return None
    return line_after(document.text, document.offsets((key,))[1])


def _above_comments(text: str, line: int) -> int:
    """The start of the comment lines that stand directly above a line: they belong to it."""
    while line:
        above = line_start_of(text, line - 1 if text[line - 1] != "\n" or text[line - 2 : line] != "\r\n" else line - 2)
        if not text[above:line].lstrip(" \t").startswith("#"):
            break
        line = above
    return line


def _report_bare_list(document: Document) -> None:
    start, _ = document.offsets(())
    line = _above_comments(document.text, line_start_of(document.text, start))
    between = document.text[line_start_of(document.text, start) : start]
    at = line if not between.strip() else start
    # A list may stand at the column of its key, so nothing has to be indented anew.
    end = line_end_of(document.text)
    lines = "".join(f"{key}: {value}{end}" for key, value in _HEADER.items())
    if document.text[start] == "[":
        edits = (
            (Edit(at, at, lines), Edit(start, start, "models: ")) if at < start else (Edit(at, at, f"{lines}models: "),)
        )
    else:
        edits = (Edit(at, at, f"{lines}models:{end}"),)
    document.report(
        codes.BARE_LIST,
        "a bare list of entries; a header would say what the file is",
        span=document.spans.between(start, start + 1),
        hint=f"begin the file with `apiVersion: {API_VERSION}`, `kind: {CATALOG_KIND}` and `models:`",
        severity="info",
        fix=Fix("add the header", edits, safe=True),
    )


_HEADER = {"apiVersion": API_VERSION, "kind": CATALOG_KIND}
_HEADER_HINT = f"a catalog begins with `apiVersion: {API_VERSION}`, `kind: {CATALOG_KIND}` and `models:`"


def _shown(value: Any) -> str:
    return masked(value)[:60] if isinstance(value, str) else type(value).__name__


def _report_duplicate_ids(document: Document, models: list[Any], prefix: tuple[PathPart, ...]) -> None:
    first: dict[str, int] = {}
    for index, entry in enumerate(models):
        model = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(model, str) or not model:
            continue
        if model not in first:
            first[model] = index
            continue
        there = document.locate((*prefix, first[model], "id"))
        document.report_at(
            codes.DUPLICATE_ID,
            f"the id {model!r} stands twice",
            (*prefix, index, "id"),
            hint="rename one of the two",
            related=(Related(document.path, there, "first given here"),),
        )
