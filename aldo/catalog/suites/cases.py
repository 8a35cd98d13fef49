"""What no type can say of cases, wherever they stand: ids that stand twice, and nothing to compare an answer with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.spans import PathPart
from aldo.catalog.suites.checks import EVALUATORS, RE2, Path, no_pattern, reference_texts, shown
from aldo.catalog.suites.dataset import Dataset, Placed
from aldo.errors import Related, Span
from aldo.schema.patterns import pattern_problem
from aldo.schema.suite import Contains, Evaluator, Exact, Regex

CASES: Path = ("suite", "cases")


class CaseChecks:
    """Reports into the document of the suite, or into that of its dataset."""

    def __init__(self, document: Document, cases: Sequence[Placed], dataset: Dataset | None) -> None:
        self._suite = document
        self._dataset = dataset
        self._document = dataset.document if dataset else document
        self._cases = cases

    def check_ids(self) -> None:
        first: dict[str, Placed] = {}
        for one in self._cases:
            there = first.setdefault(one.case.id, one)
            if there is not one:
                related = Related(self._document.path, self._place(there, "id"), "first given here")
                message = f"two cases have the id {shown(one.case.id)}"
                hint = "rename one of the two; a case without an id has its number"
                self._report(codes.DUPLICATE_CASE, message, one, "id", hint=hint, related=(related,))

    def check_references(self, evaluators: Mapping[int, Evaluator]) -> None:
        """Whether what compares with the ground truth finds a text there, and `regex` a pattern."""
        without: dict[int, list[str]] = {}  # places of cases -> names of evaluators
        for number, evaluator in evaluators.items():
            if not isinstance(evaluator, (Contains, Exact, Regex)) or evaluator.ref is not None:
                continue
            mine = [place for place, one in enumerate(self._cases) if evaluator.is_for(one.case)]
            lacking = [
                place for place in mine if reference_texts(evaluator, self._cases[place].case.ground_truth) is None
            ]
            if len(lacking) == len(mine) > 1:  # what is missing is a `ref`
                message = f"no case has a ground truth for {evaluator.name!r} to compare with"
                hint = "give it a `ref`, or each case a text or a list of texts"
                self._suite.report_at(codes.NO_GROUND_TRUTH, message, (*EVALUATORS, number), hint=hint)
                continue
            for place in lacking:
                without.setdefault(place, []).append(evaluator.name)
            if isinstance(evaluator, Regex):
                for place in mine:
                    self._check_patterns(place, evaluator)
        for place, names in without.items():
            one = self._cases[place]
            whom = " and ".join(map(repr, names))
            message = f"the case {shown(one.case.id)} has no ground truth for {whom} to compare with"
            hint = "give it a text or a list of texts, or the evaluator a `ref` or `tags`"
            self._report(codes.NO_GROUND_TRUTH, message, one, "ground_truth", hint=hint)

    def _check_patterns(self, place: int, evaluator: Regex) -> None:
        one = self._cases[place]
        truth = one.case.ground_truth
        for number, pattern in enumerate(reference_texts(evaluator, truth) or ()):
            problem = pattern_problem(pattern)
            if problem is not None:
                at = ("ground_truth",) if isinstance(truth, str) else ("ground_truth", number)
                self._report(codes.BAD_PATTERN, no_pattern(pattern, problem), one, *at, hint=RE2)

    def _report(self, code: str, message: str, one: Placed, *path: PathPart, **more: Any) -> None:
        if self._dataset:
            self._document.report(code, message, span=self._dataset.locate(one, *path), **more)
        else:
            self._document.report_at(code, message, (*CASES, one.number - 1, *path), **more)

    def _place(self, one: Placed, *path: PathPart) -> Span | None:
        if self._dataset:
            return self._dataset.locate(one, *path)
        return self._document.locate((*CASES, one.number - 1, *path))
