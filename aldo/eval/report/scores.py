"""One model by one evaluator: states, mean, interval, and the gate of its threshold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import fsum
from typing import Literal

from aldo.eval.report.model import EvaluatorScore, Gate, Verdict
from aldo.eval.statistics import Interval, Scores, mean_interval, per_case, wilson
from aldo.schema.evaluation import ScoreState

_TINY = 1e-12  # a mean of thirds is not to miss its threshold by the last bit


def case_scores(verdicts: Mapping[tuple[str, int], Verdict | None]) -> dict[str, float | None]:
    """The score of each case, its repeats averaged; None where no repeat has one."""
    return per_case((case, verdict.score if verdict else None) for (case, _), verdict in verdicts.items())


def filled_scores(verdicts: Mapping[tuple[str, int], Verdict | None], unknown: float) -> dict[str, float]:
    """The same if every answer without a score had this one."""
    scores = per_case(
        (case, unknown if verdict is None or verdict.score is None else verdict.score)
        for (case, _), verdict in verdicts.items()
    )
    return {case: score for case, score in scores.items() if score is not None}


def score_of(
    model: str,
    verdicts: Mapping[tuple[str, int], Verdict | None],
    threshold: float | None,
    clusters: Mapping[str, str],
    seed: int,
) -> EvaluatorScore:
    """`verdicts`: by case and repeat; None for an answer that is not there."""
    scores = case_scores(verdicts)
    known = [score for score in scores.values() if score is not None]
    mean = fsum(known) / len(known) if known else None
    least, most = _ends(verdicts)
    states: Counter[ScoreState | Literal["missing"]] = Counter(
        "missing" if verdict is None else verdict.state for verdict in verdicts.values()
    )
    return EvaluatorScore(
        model=model,
        states=dict(states),
        cases=len(known),
        of=len(scores),
        mean=mean,
        interval=interval_of(scores, clusters, seed),
        threshold=threshold,
        gate=None if threshold is None else _gate(threshold, least, most),
        least=least,
        most=most,
    )


def interval_of(scores: Scores, clusters: Mapping[str, str], seed: int) -> Interval | None:
    """Wilson's of a rate where the cases stand alone, else a bootstrap over them or their sources."""
    known = {case: score for case, score in scores.items() if score is not None}
    if is_binary(known.values()) and not shared(clusters, known):
        return wilson(sum(score == 1 for score in known.values()), len(known))
    return mean_interval(known, seed=seed, clusters=clusters)


def is_binary(scores: Iterable[float]) -> bool:
    """Whether every score is 0 or 1."""
    return all(score in (0, 1) for score in scores)


def shared(clusters: Mapping[str, str], cases: Iterable[str]) -> bool:
    """Whether two of the cases have one source."""
    sources = [clusters[case] for case in cases if case in clusters]
    return len(set(sources)) < len(sources)


def _ends(verdicts: Mapping[tuple[str, int], Verdict | None]) -> tuple[float, float]:
    """The mean over all cases if every answer without a score had 0, and if it had 1."""
    least, most = (filled_scores(verdicts, unknown) for unknown in (0.0, 1.0))
    return fsum(least.values()) / max(1, len(least)), fsum(most.values()) / max(1, len(most))


def _gate(threshold: float, least: float, most: float) -> Gate:
    if least >= threshold - _TINY:
        return "met"
    return "missed" if most < threshold - _TINY else "open"
