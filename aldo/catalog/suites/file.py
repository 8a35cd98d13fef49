"""A suite and its cases, as read: what can be used of it, and all that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.load import errors_of
from aldo.catalog.others import value_of_kind
from aldo.catalog.reader import read_document
from aldo.catalog.source import STDIN
from aldo.catalog.structure import check
from aldo.catalog.suites.cases import CASES, CaseChecks
from aldo.catalog.suites.checks import EVALUATORS, SuiteChecks
from aldo.catalog.suites.dataset import Dataset, Placed
from aldo.catalog.suites.schemas import NoSchema, read_schema, schema_problems
from aldo.errors import CatalogError, Finding, Related, Span
from aldo.schema.canonical import digest
from aldo.schema.frozen import thawed
from aldo.schema.suite import SUITE_SCHEMA, Case, Evaluator, JsonSchema, Suite, SuiteBody

HEADER: dict[str, str] = {"schema": SUITE_SCHEMA}
_BEGINS = f"a suite begins with `schema: {SUITE_SCHEMA}`"
_DATASET_HINTS = {  # to say what reading a catalog would not
    "no such file": "its name is relative to the suite",
    "is a directory, not a file": "name a file inside it: .jsonl or .csv",
}

Part = TypeVar("Part")


@dataclass(frozen=True)
class LoadedSuite:
    """A suite that can be run."""

    path: str
    body: SuiteBody
    cases: tuple[Case, ...]
    """All of them, each with an id."""
    schemas: Mapping[str, Any]
    """The JSON Schema of each evaluator that has one."""

    @property
    def folder(self) -> str:
        """What relative names in the suite are relative to."""
        return os.path.dirname(self.path) or "."  # noqa: PTH120 - "" for a name alone

    @property
    def files(self) -> tuple[str, ...]:
        """What it was read from: itself, its dataset, its schemas."""
        schemas = (one.ref for one in self.body.evaluators if isinstance(one, JsonSchema) and one.ref is not None)
        beside_it = (name for name in (self.body.cases_dataset, *schemas) if name is not None)
        return self.path, *(beside(self.path, name) for name in beside_it)

    @property
    def digest(self) -> str:
        """Of the cases and of how they are asked: what an answer depends on."""
        asked = {
            "maxTokens": self.body.max_tokens,
            "temperature": self.body.temperature,
            "topP": self.body.top_p,
            "stop": list(self.body.stop),
        }
        return digest({"cases": [[case.id, case.input] for case in self.cases], **asked})


class SuiteFile:
    """A suite file with its findings, those in its dataset among them.

    What is wrong with one part hides nothing of the others: each evaluator and each case is looked at by itself.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.dataset: Dataset | None = None
        self.cases: tuple[Placed, ...] = ()
        self.schemas: dict[str, Any] = {}
        self.suite: Suite | None = _suite_of(document)
        checks = SuiteChecks(document)
        if not checks.body or any(finding.code == codes.WRONG_KIND for finding in document.findings):
            return
        checks.of_the_written()
        evaluators = self._evaluators(checks.body)
        self.cases = self._cases(checks.body)
        for place, one in evaluators.items():
            if isinstance(one, JsonSchema):
                self.schemas[one.name] = self._schema(place, one)
        written = checks.body.get("cases")
        rows = len(written) if isinstance(written, list) else 0
        are_all = self.dataset.is_whole if self.dataset else len(self.cases) == rows
        checks.of_the_values(evaluators, self.cases, are_all=are_all)
        of_cases = CaseChecks(document, self.cases, self.dataset)
        of_cases.check_ids()
        of_cases.check_references(evaluators)

    def _evaluators(self, body: Mapping[str, Any]) -> dict[int, Evaluator]:
        """Those that are valid by themselves, by their place."""
        if self.suite is not None:
            return dict(enumerate(self.suite.suite.evaluators))
        return dict(_valid(TypeAdapter(Evaluator), body.get("evaluators")))

    def _cases(self, body: Mapping[str, Any]) -> tuple[Placed, ...]:
        """The same of the cases, written out or from the dataset."""
        name, written = body.get("cases_dataset"), body.get("cases")
        if isinstance(name, str) and name and written is None:
            self.dataset = Dataset(beside(self.document.path, name))
            self._report_missing(self.dataset)
            return self.dataset.cases
        valid = _valid(TypeAdapter(Case), written) if self.suite is None else enumerate(self.suite.suite.cases or ())
        return tuple(
            Placed.of(case, self.document.locate((*CASES, place)) or Span(1, 1, 1, 1), place + 1)
            for place, case in valid
        )

    def _report_missing(self, dataset: Dataset) -> None:
        """A dataset that is no file, or an empty one, is told where the suite names it."""
        at = ("suite", "cases_dataset")
        unreadable = [f for f in dataset.document.findings if f.code == codes.UNREADABLE_FILE]
        name = dataset.document.path
        for finding in unreadable:
            related = (Related(finding.path, finding.span, finding.message),) if finding.span else ()
            hint = _DATASET_HINTS.get(finding.message, finding.hint or "its name is relative to the suite")
            message = f"the dataset {name} cannot be read: {finding.message.removeprefix('cannot be read: ')}"
            self.document.report_at(codes.DATASET, message, at, hint=hint, related=related)
            dataset.document.findings.remove(finding)
        if not dataset.cases and not dataset.document.findings and not unreadable:
            hint = "without cases there is nothing to ask"
            self.document.report_at(codes.DATASET, f"the dataset {name} holds no cases", at, hint=hint)

    def _schema(self, place: int, evaluator: JsonSchema) -> Any:
        """The schema of an evaluator, from its file where it is not written out; None where it is none."""
        at = (*EVALUATORS, place, "schema" if evaluator.ref is None else "ref")
        schema = thawed(evaluator.schema_)
        if evaluator.ref is not None:
            try:
                schema = read_schema(beside(self.document.path, evaluator.ref))
            except NoSchema as error:
                hint = "name a JSON file, relative to the suite"
                self.document.report_at(codes.BAD_SCHEMA, f"no schema: {error}", at, hint=hint)
                return None
        problems = schema_problems(schema)
        for path, problem in problems:
            there = f"at /{'/'.join(map(str, path))}: " if path else ""
            inside = (*at, *path) if evaluator.ref is None else at
            self.document.report_at(codes.BAD_SCHEMA, f"is no JSON Schema: {there}{problem}", inside)
        return None if problems else schema

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of the suite and of its dataset."""
        return self.document.sorted_findings() + (self.dataset.document.sorted_findings() if self.dataset else ())

    def loaded(self) -> LoadedSuite:
        """The suite to run. Raises `CatalogError` with everything that keeps it from being run."""
        errors = errors_of(self.findings)
        if errors or self.suite is None:
            raise CatalogError(errors)
        return LoadedSuite(self.document.path, self.suite.suite, tuple(one.case for one in self.cases), self.schemas)


def _suite_of(document: Document) -> Suite | None:
    """The suite of a document, or None; what is wrong with it is added to the document's findings."""
    value = document.value
    if not isinstance(value, dict) or "suite" not in value or value.get("schema") == SUITE_SCHEMA:
        return value_of_kind(document, Suite, "a suite", HEADER)
    if "schema" not in value:
        suite = check(document, Suite, value)
        if not any(finding.code == codes.UNKNOWN_FIELD and "'schema'" in finding.hint for finding in document.findings):
            document.report(
                codes.MISSING_FIELD, "the field 'schema' is missing", span=document.locate(()), hint=_BEGINS
            )
        return suite
    given = value["schema"]
    near = isinstance(given, str) and get_close_matches(given, [SUITE_SCHEMA], cutoff=0.8)
    hint = f"did you mean {SUITE_SCHEMA!r}?" if near else _BEGINS
    shown = repr(given[:60]) if isinstance(given, str) else type(given).__name__
    document.report_at(codes.WRONG_KIND, f"schema is {shown}, not {SUITE_SCHEMA}", ("schema",), hint=hint)
    return None


def _valid(adapter: TypeAdapter[Part], items: Any) -> Iterator[tuple[int, Part]]:
    for place, item in enumerate(items if isinstance(items, list) else ()):
        with suppress(ValidationError):
            yield place, adapter.validate_python(item, by_alias=True, by_name=False)


def beside(suite: str, name: str) -> str:
    """A name in a suite, relative to its folder. A suite from standard input is in the working directory."""
    folder = Path() if suite == "<stdin>" else Path(suite).parent
    path = str(folder / name)
    return f"./{path}" if path == STDIN else path  # a file of that name, and not what this process is given


def read_suite(path: str) -> SuiteFile:
    """A suite file with its findings; never raises for what is in it. `-` is standard input."""
    return SuiteFile(read_document(path))


def suite_of(document: Document) -> SuiteFile:
    """The same of a document that was read."""
    return SuiteFile(document)


def load_suite(path: str | os.PathLike[str]) -> LoadedSuite:
    """The suite in a file (`schema: aldo-ai/eval.v1`) with its cases. Raises `CatalogError` as `load_catalog` does."""
    return read_suite(os.fspath(path)).loaded()
