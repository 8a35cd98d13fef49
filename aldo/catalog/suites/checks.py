"""What no type can say of a suite: names that refer to nothing, patterns that are none, cases that stand twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel

from aldo.catalog import codes
from aldo.catalog.document import Document
from aldo.catalog.spans import PathPart
from aldo.catalog.suites.dataset import Placed
from aldo.errors import Related
from aldo.schema.patterns import pattern_problem
from aldo.schema.suite import BUILT_IN, Contains, Custom, Evaluator, Exact, JsonSchema, LlmJudge, Regex, Script
from aldo.schema.vocabulary import CAPABILITY_CLASSES

ENTRY_POINTS = "aldo.evaluators"

Path = tuple[PathPart, ...]
EVALUATORS: Path = ("suite", "evaluators")
_JUDGED_BY_NAME = ("model", "judge", "judge_model", "provider")
_LONGEST_SHOWN = 60


def known_evaluators() -> list[str]:
    """The built-in types and those that installed packages bring."""
    return [*BUILT_IN, *sorted({point.name for point in entry_points(group=ENTRY_POINTS)} - set(BUILT_IN))]


class SuiteChecks:
    """Reports into the document of the suite, or into that of its dataset."""

    def __init__(self, document: Document) -> None:
        self.document = document
        body = document.value.get("suite") if isinstance(document.value, dict) else None
        self.body: Mapping[str, Any] = body if isinstance(body, dict) else {}
        found = self.body.get("evaluators")
        self._evaluators: list[Any] = found if isinstance(found, list) else []

    def of_the_written(self) -> None:
        """What can be told of a suite whatever its structure is."""
        self._check_source()
        names: dict[str, Path] = {}
        known = known_evaluators()
        for number, evaluator in enumerate(self._evaluators):
            path = (*EVALUATORS, number)
            if isinstance(evaluator, Mapping):
                self._check_type(evaluator, path, known)
                self._check_name(evaluator.get("name"), (*path, "name"), names)
                self._check_judge(evaluator, path)
        self._check_thresholds(list(names))

    def of_the_values(self, evaluators: Mapping[int, Evaluator], cases: Sequence[Placed], *, are_all: bool) -> None:
        """What can be told of the evaluators, by their place, and the cases that are valid by themselves."""
        for number, evaluator in evaluators.items():
            if are_all:
                self._check_tags(evaluator, (*EVALUATORS, number), cases)
            if isinstance(evaluator, Regex):
                self._check_patterns(evaluator, (*EVALUATORS, number))

    def _check_source(self) -> None:
        """Whether cases come from one place. The type says so only of a suite that is right in all else."""
        of_type = [f for f in self.document.findings if f.pointer == "/suite" and f.code == codes.WRONG_VALUE]
        if all(self.body.get(name) is not None for name in ("cases", "cases_dataset")):
            self._forget(codes.WRONG_VALUE, "/suite")
            at, hint = ("suite", "cases_dataset"), "keep one of the two"
            self.document.report_at(codes.WRONG_VALUE, "there are `cases`, too", at, key=True, hint=hint)
        elif not of_type and not {"cases", "cases_dataset"} & self.body.keys():
            unknown = [f for f in self.document.findings if f.code == codes.UNKNOWN_FIELD]
            if not any(f.pointer.count("/") == 2 and "cases" in f.hint for f in unknown):  # one of them, misspelt
                told = "'suite' needs either `cases`, written out, or `cases_dataset`, a file"
                self.document.report_at(codes.WRONG_VALUE, told, ("suite",))

    def _check_type(self, evaluator: Mapping[str, Any], path: Path, known: list[str]) -> None:
        kind = evaluator.get("type")
        if isinstance(kind, str) and kind in known:
            return
        # One defect, one finding: the fields of what it was meant to be would be told to be unknown.
        for field in evaluator:
            if field in _FIELDS:
                self._forget(codes.UNKNOWN_FIELD, f"/suite/evaluators/{path[-1]}/{field}")
        if isinstance(kind, str):
            near = get_close_matches(kind.lower(), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            message = f"no evaluator is of the type {shown(kind)}"
            self._forget(codes.WRONG_VALUE, f"/suite/evaluators/{path[-1]}/type")
            self.document.report_at(codes.UNKNOWN_EVALUATOR, message, (*path, "type"), hint=hint)

    def _check_name(self, name: Any, path: Path, names: dict[str, Path]) -> None:
        if not isinstance(name, str) or names.setdefault(name, path) == path:
            return
        related = Related(self.document.path, self.document.locate(names[name]), "first given here")
        message = f"two evaluators are called {shown(name)}"
        self.document.report_at(
            codes.DUPLICATE_EVALUATOR, message, path, hint="rename one of the two", related=(related,)
        )

    def _check_judge(self, evaluator: Mapping[str, Any], path: Path) -> None:
        if evaluator.get("type") != "llm-judge":
            return
        named = [field for field in _JUDGED_BY_NAME if field in evaluator]
        for field in named:
            at = (*path, field)
            self._forget(codes.UNKNOWN_FIELD, f"/suite/evaluators/{path[-1]}/{field}")
            told = f"a judge is chosen by its class, not by {field!r}"
            hint = f"say `capability_class` in place of {field!r}: the router picks a model of that class"
            self.document.report_at(codes.JUDGE_BY_MODEL, told, at, key=True, hint=hint)
        if named and "capability_class" not in evaluator:  # told by that already
            pointer, missing = f"/suite/evaluators/{path[-1]}", "the field 'capability_class' is missing"
            self._forget(codes.MISSING_FIELD, pointer, missing)
        report_near_class(self.document, evaluator.get("capability_class"), (*path, "capability_class"))

    def _check_thresholds(self, names: list[str]) -> None:
        thresholds = self.body.get("threshold")
        is_named = (isinstance(one, Mapping) and isinstance(one.get("name"), str) for one in self._evaluators)
        if not isinstance(thresholds, Mapping) or not self._evaluators or not all(is_named):
            return  # it may be for one whose name cannot be read
        for name in thresholds:
            if name not in names:
                near = get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"the evaluators are {', '.join(names)}"
                message = f"a threshold for {shown(name)}, which is no evaluator"
                at = ("suite", "threshold", name)
                self.document.report_at(codes.IDLE_THRESHOLD, message, at, key=True, hint=hint)

    def _check_tags(self, evaluator: Evaluator, path: Path, cases: Sequence[Placed]) -> None:
        """Every tag of an evaluator that no case has: it looks at less than its author meant, or at nothing."""
        known = {tag for one in cases for tag in one.case.tags}
        for number, tag in enumerate(evaluator.tags if cases else ()):
            if tag not in known:
                near = get_close_matches(tag, known, n=1)
                is_all = not known.intersection(evaluator.tags)
                hint = f"did you mean {near[0]!r}?" if near else "take it out" if not is_all else ""
                hint = hint or f"{evaluator.name!r} looks at nothing"
                at = (*path, "tags", number) if isinstance(self._raw(path, "tags"), list) else (*path, "tags")
                self.document.report_at(codes.UNUSED_TAG, f"no case has the tag {shown(tag)}", at, hint=hint)

    def _check_patterns(self, evaluator: Regex, path: Path) -> None:
        for number, pattern in enumerate(evaluator.ref or ()):
            problem = pattern_problem(pattern)
            if problem is not None:
                at = (*path, "ref", number) if isinstance(self._raw(path, "ref"), list) else (*path, "ref")
                self.document.report_at(codes.BAD_PATTERN, no_pattern(pattern, problem), at, hint=RE2)

    def _raw(self, path: Path, field: str) -> Any:
        return self._evaluators[int(path[-1])][field]

    def _forget(self, code: str, pointer: str, message: str = "") -> None:
        """Takes back what the types say of a place, because there is more to say."""
        self.document.findings[:] = [
            f for f in self.document.findings if (f.code, f.pointer) != (code, pointer) or message not in f.message
        ]


RE2 = "the engine is RE2: no look-around, no back-references"
_KINDS: tuple[type[BaseModel], ...] = (Contains, Exact, Regex, JsonSchema, LlmJudge, Script, Custom)
_FIELDS = {field.alias or name for kind in _KINDS for name, field in kind.model_fields.items()}


def no_pattern(pattern: str, problem: str) -> str:
    """What to say of a pattern that is none."""
    return f"{shown(pattern)} is no pattern: {problem}"


def shown(text: str) -> str:
    """A text in a message, not longer than a line."""
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


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
