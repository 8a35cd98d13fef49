"""A suite and its cases, as read: what can be used of it, and all that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.load import errors_of, value_of_kind
from aldo.catalog.reader import read_document
from aldo.catalog.suites.checks import SuiteChecks
from aldo.catalog.suites.dataset import Dataset, Placed, read_dataset
from aldo.errors import CatalogError, Finding, Span
from aldo.schema.canonical import digest
from aldo.schema.frozen import thawed
from aldo.schema.suite import SUITE_SCHEMA, Case, Evaluator, JsonSchema, Suite, SuiteBody

HEADER: dict[str, str] = {"schema": SUITE_SCHEMA}


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
    def digest(self) -> str:
        """Of the cases and of how they are asked: what an answer depends on."""
        asked = {"maxTokens": self.body.max_tokens, "temperature": self.body.temperature, "topP": self.body.top_p}
        return digest({"cases": [[case.id, case.input] for case in self.cases], **asked})

    def cases_for(self, evaluator: Evaluator) -> tuple[Case, ...]:
        """The cases that an evaluator looks at."""
        return tuple(case for case in self.cases if applies(evaluator, case))


def applies(evaluator: Evaluator, case: Case) -> bool:
    """Whether an evaluator is for a case."""
    return not evaluator.tags or any(tag in case.tags for tag in evaluator.tags)


class SuiteFile:
    """A suite file with its findings, those in its dataset among them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        value = value_of_kind(document, Suite, "a suite", HEADER)
        self.suite = value
        self.dataset: Dataset | None = None
        self.cases: tuple[Placed, ...] = ()
        self.schemas: dict[str, Any] = {}
        raw = document.value if isinstance(document.value, dict) else {}
        checks = SuiteChecks(document, raw)
        checks.of_the_written()
        if value is None:
            self._read_dataset(checks.body.get("cases_dataset"))
        else:
            self.cases = self._cases(value.suite)
            self.schemas = {one.name: self._schema(place, one) for place, one in _schemas(value.suite)}
            checks.of_the_value(value.suite, self.cases, self.dataset)

    def _cases(self, body: SuiteBody) -> tuple[Placed, ...]:
        path = ("suite", "cases")
        if body.cases is not None:
            spans = [self.document.locate((*path, number)) for number in range(len(body.cases))]
            placed = [Placed(case, span or Span(1, 1, 1, 1)) for case, span in zip(body.cases, spans, strict=True)]
        else:
            placed = self._read_dataset(body.cases_dataset)
        return tuple(
            one if one.case.id else Placed(one.case.model_copy(update={"id": str(number)}), one.span)
            for number, one in enumerate(placed, start=1)
        )

    def _read_dataset(self, name: Any) -> list[Placed]:
        if not isinstance(name, str) or not name:
            return []
        self.dataset = read_dataset(beside(self.document.path, name))
        self._report_missing(self.dataset)
        return list(self.dataset.cases)

    def _report_missing(self, dataset: Dataset) -> None:
        """A dataset that is no file, or an empty one, is told where the suite names it."""
        at = ("suite", "cases_dataset")
        unreadable = [f for f in dataset.document.findings if f.code == codes.UNREADABLE_FILE]
        hint = f"it is looked for at {dataset.document.path}, beside the suite"
        for finding in unreadable:
            self.document.report_at(codes.DATASET, f"the dataset cannot be read: {finding.message}", at, hint=hint)
            dataset.document.findings.remove(finding)
        if not dataset.cases and not dataset.document.findings and not unreadable:
            self.document.report_at(codes.DATASET, "the dataset holds no cases", at, hint=hint)

    def _schema(self, place: int, evaluator: JsonSchema) -> Any:
        """The schema of an evaluator, from its file where it is not written out; None where it is none."""
        at = ("suite", "evaluators", place, "schema" if evaluator.ref is None else "ref")
        schema = thawed(evaluator.schema_)
        if evaluator.ref is not None:
            import json

            path = beside(self.document.path, evaluator.ref)
            try:
                schema = json.loads(Path(path).read_bytes())
            except (OSError, ValueError, RecursionError) as error:
                reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                hint = "name a JSON file, relative to the suite"
                self.document.report_at(codes.BAD_SCHEMA, f"no schema at {path}: {reason}", at, hint=hint)
                return None
        problem = _schema_problem(schema)
        if problem is not None:
            self.document.report_at(codes.BAD_SCHEMA, f"is no JSON Schema: {problem}", at)
            return None
        return schema

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


def _schemas(body: SuiteBody) -> list[tuple[int, JsonSchema]]:
    return [(place, one) for place, one in enumerate(body.evaluators) if isinstance(one, JsonSchema)]


def _schema_problem(schema: Any) -> str | None:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    if isinstance(schema, bool):
        return None
    if not isinstance(schema, dict):
        return "a schema is an object, true or false"
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        return f"at /{'/'.join(map(str, error.absolute_path))}: {error.message}"
    except (TypeError, RecursionError):
        return "it holds what JSON does not"
    return None


def beside(suite: str, name: str) -> str:
    """A name in a suite, relative to its folder. A suite from standard input is in the working directory."""
    folder = Path() if suite.startswith("<") else Path(suite).parent
    return str(folder / name)


def read_suite(path: str) -> SuiteFile:
    """A suite file with its findings; never raises for what is in it. `-` is standard input."""
    return SuiteFile(read_document(path))


def suite_of(document: Document) -> SuiteFile:
    """The same of a document that was read."""
    return SuiteFile(document)


def load_suite(path: str | os.PathLike[str]) -> LoadedSuite:
    """The suite in a file (`schema: aldo-ai/eval.v1`) with its cases. Raises `CatalogError` as `load_catalog` does."""
    return read_suite(os.fspath(path)).loaded()
