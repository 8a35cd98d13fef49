"""What no type can say of a suite: names that refer to nothing, patterns that are none, cases that stand twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.spans import PathPart
from aldo.catalog.suites.dataset import Dataset, Placed
from aldo.errors import Related
from aldo.schema.patterns import pattern_problem
from aldo.schema.suite import BUILT_IN, Contains, Evaluator, Exact, Regex, SuiteBody
from aldo.schema.vocabulary import CAPABILITY_CLASSES

ENTRY_POINTS = "aldo.evaluators"

Path = tuple[PathPart, ...]
_EVALUATORS: Path = ("suite", "evaluators")
_JUDGED_BY_NAME = ("model", "judge", "judge_model", "provider")


def known_evaluators() -> list[str]:
    """The built-in types and those that installed packages bring."""
    return [*BUILT_IN, *sorted({point.name for point in entry_points(group=ENTRY_POINTS)} - set(BUILT_IN))]


class SuiteChecks:
    """Reports into the document of the suite, or into that of its dataset."""

    def __init__(self, document: Document, raw: Mapping[str, Any]) -> None:
        self.document = document
        body = raw.get("suite")
        self.body: Mapping[str, Any] = body if isinstance(body, Mapping) else {}

    def of_the_written(self) -> None:
        """What can be told of a suite whose structure is wrong, too."""
        names: dict[str, Path] = {}
        known = known_evaluators()
        for number, evaluator in enumerate(self._evaluators()):
            path = (*_EVALUATORS, number)
            if isinstance(evaluator, Mapping):
                self._check_type(evaluator, path, known)
                self._check_name(evaluator.get("name"), (*path, "name"), names)
                self._check_judge(evaluator, path)
        self._check_thresholds(list(names))

    def of_the_value(self, body: SuiteBody, cases: tuple[Placed, ...], dataset: Dataset | None) -> None:
        """What can be told of one whose structure is right."""
        self._check_ids(cases, dataset)
        for number, evaluator in enumerate(body.evaluators):
            path = (*_EVALUATORS, number)
            mine = [one for one in cases if not evaluator.tags or set(evaluator.tags) & set(one.case.tags)]
            if cases and not mine:
                tags = " or ".join(map(repr, evaluator.tags))
                hint = "it would look at nothing"
                self.document.report_at(codes.UNUSED_TAG, f"no case has the tag {tags}", (*path, "tags"), hint=hint)
            if isinstance(evaluator, (Contains, Exact, Regex)):
                self._check_references(evaluator, path, mine, dataset)

    def _evaluators(self) -> list[Any]:
        found = self.body.get("evaluators")
        return found if isinstance(found, list) else []

    def _check_type(self, evaluator: Mapping[str, Any], path: Path, known: list[str]) -> None:
        kind = evaluator.get("type")
        if not isinstance(kind, str) or kind in known:
            return
        near = get_close_matches(kind, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        # One defect, one finding: the fields of what it was meant to be would be told to be unknown.
        self.document.findings[:] = [
            f
            for f in self.document.findings
            if not f.pointer.startswith(f"/suite/evaluators/{path[-1]}/") or f.code != codes.UNKNOWN_FIELD
        ]
        self.document.report_at(codes.UNKNOWN_EVALUATOR, f"no evaluator {kind!r}", (*path, "type"), hint=hint)

    def _check_name(self, name: Any, path: Path, names: dict[str, Path]) -> None:
        if not isinstance(name, str) or names.setdefault(name, path) == path:
            return
        related = Related(self.document.path, self.document.locate(names[name]), "first given here")
        message = f"two evaluators are called {name!r}"
        self.document.report_at(
            codes.DUPLICATE_EVALUATOR, message, path, hint="rename one of the two", related=(related,)
        )

    def _check_judge(self, evaluator: Mapping[str, Any], path: Path) -> None:
        if evaluator.get("type") != "llm-judge":
            return
        for field in _JUDGED_BY_NAME:
            if field in evaluator:
                at = (*path, field)
                pointer = "/" + "/".join(map(str, at))
                self.document.findings[:] = [f for f in self.document.findings if f.pointer != pointer]
                hint = f"take {field!r} out; `capability_class` says which class judges, and the router picks the model"
                self.document.report_at(codes.JUDGE_BY_MODEL, "a judge is named by its class", at, key=True, hint=hint)
        name = evaluator.get("capability_class")
        report_near_class(self.document, name, (*path, "capability_class"))

    def _check_thresholds(self, names: list[str]) -> None:
        thresholds = self.body.get("threshold")
        for name in thresholds if isinstance(thresholds, Mapping) else ():
            if name not in names:
                near = get_close_matches(str(name), names, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"the evaluators are {', '.join(names) or 'none'}"
                message = f"a threshold for {name!r}, which is no evaluator"
                self.document.report_at(
                    codes.IDLE_THRESHOLD, message, ("suite", "threshold", name), key=True, hint=hint
                )

    def _check_ids(self, cases: tuple[Placed, ...], dataset: Dataset | None) -> None:
        document = dataset.document if dataset else self.document
        first: dict[str, Placed] = {}
        for one in cases:
            if first.setdefault(one.case.id, one) is not one:
                related = Related(document.path, first[one.case.id].span, "first given here")
                document.report(
                    codes.DUPLICATE_CASE,
                    f"two cases have the id {one.case.id!r}",
                    span=one.span,
                    hint="rename one of the two; a case without an id has its number",
                    related=(related,),
                )

    def _check_references(
        self, evaluator: Contains | Exact | Regex, path: Path, cases: list[Placed], dataset: Dataset | None
    ) -> None:
        document = dataset.document if dataset else self.document
        if evaluator.ref is not None:
            if isinstance(evaluator, Regex):
                for number, pattern in enumerate(evaluator.ref):
                    self._check_pattern(self.document, pattern, path=(*path, "ref", number))
            return
        for one in cases:
            texts = reference_texts(evaluator, one.case.ground_truth)
            if texts is None:
                document.report(
                    codes.NO_GROUND_TRUTH,
                    f"the case {one.case.id!r} has no ground truth for {evaluator.name!r} to compare with",
                    span=one.span,
                    hint="give it a text or a list of texts, or the evaluator a `ref` or `tags`",
                )
            elif isinstance(evaluator, Regex):
                for pattern in texts:
                    self._check_pattern(document, pattern, place=one)

    def _check_pattern(self, document: Document, pattern: str, path: Path = (), place: Placed | None = None) -> None:
        problem = pattern_problem(pattern)
        if problem is not None:
            span = place.span if place else document.locate(path)
            hint = "the engine is RE2: no look-around, no back-references"
            document.report(
                codes.BAD_PATTERN, f"{pattern[:60]!r} is no pattern: {problem}", span=span, path=path, hint=hint
            )


def reference_texts(evaluator: Evaluator, ground_truth: Any) -> tuple[str, ...] | None:
    """What an evaluator of texts compares an answer with; None where there is nothing to compare with."""
    ref = getattr(evaluator, "ref", None)
    if ref is not None:
        return tuple(ref)
    if isinstance(ground_truth, str) and ground_truth:
        return (ground_truth,)
    is_list = isinstance(ground_truth, (list, tuple)) and bool(ground_truth)
    if is_list and all(isinstance(text, str) and text for text in ground_truth):
        return tuple(ground_truth)
    return None


def report_near_class(document: Document, name: Any, path: Path) -> None:
    """A warning for a class that is nearly a built-in one. Any other may be declared by the catalog."""
    if not isinstance(name, str) or name in CAPABILITY_CLASSES:
        return
    near = get_close_matches(name, CAPABILITY_CLASSES, n=1, cutoff=0.85)
    if near:
        message = f"the class {name!r} is nearly {near[0]!r}"
        document.report_at(codes.NEAR_CLASS, message, path, hint=f"did you mean {near[0]!r}?", severity="warning")


def classes_of_agent(value: Any) -> Iterator[tuple[Path, Any]]:
    """Where an agent file names classes."""
    policy = value.get("model_policy") if isinstance(value, Mapping) else None
    if isinstance(policy, Mapping):
        yield ("model_policy", "capability_class"), policy.get("capability_class")
        fallback = policy.get("fallback")
        if isinstance(fallback, str):
            yield ("model_policy", "fallback"), fallback
        for number, name in enumerate(fallback if isinstance(fallback, list) else ()):
            yield ("model_policy", "fallback", number), name
