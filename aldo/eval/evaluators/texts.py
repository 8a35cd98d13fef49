"""contains, not-contains, exact and regex: an answer against texts or patterns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from aldo.catalog.suites.checks import reference_texts
from aldo.errors import UsageError
from aldo.eval.evaluators.grade import Evaluate, Grade, graded
from aldo.schema.patterns import Pattern, compile_pattern
from aldo.schema.suite import Case, Contains, Exact, Regex

_SHOWN = 60


def evaluate_texts(evaluator: Contains | Exact | Regex) -> Evaluate:
    """The evaluator, ready. Raises `UsageError` for a pattern without RE2 installed."""
    matches = _matcher(evaluator)
    if evaluator.type == "regex":
        compiled("")  # a missing RE2 is told before anything is asked

    async def evaluate(case: Case, answer: str) -> Grade:
        texts = reference_texts(evaluator, case.ground_truth)
        if texts is None:
            return Grade("error", None, "there is no ground truth to compare with")
        found = [text for text in texts if matches(text, answer)]
        holds = bool(found) if evaluator.match == "any" else len(found) == len(texts)
        if evaluator.type == "not-contains":
            return graded(not holds, f"contains {_quoted(found)}" if holds else "")
        return graded(holds, _missing(evaluator, texts, found) if not holds else _quoted(found))

    return evaluate


def _matcher(evaluator: Contains | Exact | Regex) -> Callable[[str, str], bool]:
    def folded(text: str) -> str:
        return text.casefold() if evaluator.ignore_case else text

    if isinstance(evaluator, Regex):
        return lambda pattern, answer: _search(pattern, answer, evaluator.ignore_case)
    if isinstance(evaluator, Exact):
        return lambda text, answer: folded(text.strip()) == folded(answer.strip())
    return lambda text, answer: folded(text) in folded(answer)


def _search(pattern: str, answer: str, ignore_case: bool) -> bool:
    whole = answer.encode("utf-8", "replace").decode("utf-8")  # RE2 takes no half of a surrogate pair
    return compiled(pattern, ignore_case=ignore_case).search(whole) is not None


@lru_cache(maxsize=1024)
def compiled(pattern: str, *, ignore_case: bool = False) -> Pattern:
    """A pattern, compiled once. Raises `UsageError` without RE2, and for what is no pattern."""
    try:
        return compile_pattern(pattern, ignore_case=ignore_case)
    except ImportError:
        raise UsageError("patterns need the extra `eval`: pip install 'aldo-gateway[eval]'") from None
    except ValueError as error:
        raise UsageError(f"{pattern[:_SHOWN]!r} is no pattern: {error}") from None


def _missing(evaluator: Contains | Exact | Regex, texts: Sequence[str], found: Sequence[str]) -> str:
    verb = {"regex": "matches", "exact": "is"}.get(evaluator.type, "contains")
    if evaluator.match == "all":
        return f"lacks {_quoted([text for text in texts if text not in found])}"
    return f"{verb} none of {_quoted(texts)}" if len(texts) > 1 else f"not: {verb} {_quoted(texts)}"


def _quoted(texts: Sequence[str]) -> str:
    shown = ", ".join(repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…") for text in texts[:5])
    return shown + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")
