"""A model against the baseline by one evaluator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import stdev

from aldo.eval.report.limits import Limits
from aldo.eval.report.model import Comparison
from aldo.eval.report.scores import is_binary, shared
from aldo.eval.statistics import (
    Agreement,
    Paired,
    PairedBinary,
    Scores,
    holm,
    minimum_detectable_effect,
    paired_binary,
    paired_scores,
)


@dataclass(frozen=True)
class Graded:
    """What one evaluator said of one model, by case: as it is, and if everything without a score had 0, or 1."""

    scores: Scores
    least: Scores
    most: Scores
    has_all: bool
    """Whether every answer has a score."""


def comparisons_of(
    evaluator: str, graded: Mapping[str, Graded], clusters: Mapping[str, str], limits: Limits, seed: int
) -> tuple[Comparison, ...]:
    """`graded`: by model, the baseline first."""
    baseline, *others = graded
    made = [_comparison(evaluator, other, baseline, graded, clusters, limits, seed) for other in others]
    adjusted = holm([one.p_value for one in made])
    return tuple(replace(one, adjusted_p_value=p_value) for one, p_value in zip(made, adjusted, strict=True))


def _comparison(
    evaluator: str,
    model: str,
    baseline: str,
    graded: Mapping[str, Graded],
    clusters: Mapping[str, str],
    limits: Limits,
    seed: int,
) -> Comparison:
    mine, theirs = graded[model], graded[baseline]
    changes = {
        case: score - other
        for case, score in mine.scores.items()
        if score is not None and (other := theirs.scores.get(case)) is not None
    }
    paired = _paired(mine.scores, theirs.scores, changes, clusters, seed)
    against = None
    if not (mine.has_all and theirs.has_all):
        against = _paired(mine.least, theirs.most, dict.fromkeys(mine.least, 0.0), clusters, seed).interval
    return Comparison(
        model=model,
        baseline=baseline,
        cases=paired.n,
        sources=paired.sources,
        left_out=paired.left_out,
        mean=paired.mean_a,
        baseline_mean=paired.mean_b,
        difference=paired.difference,
        interval=paired.interval,
        p_value=paired.p_value,
        adjusted_p_value=paired.p_value,
        test=paired.test,
        better=tuple(case for case, change in changes.items() if change > 0),
        worse=tuple(case for case, change in changes.items() if change < 0),
        agreement=_agreement(paired),
        minimum_detectable_effect=_effect(paired, list(changes.values())),
        regression=limits.gate(evaluator, paired.interval, against),
    )


def _paired(
    mine: Scores, theirs: Scores, changes: Mapping[str, float], clusters: Mapping[str, str], seed: int
) -> Paired:
    grouped = clusters if shared(clusters, changes) else None
    if all(is_binary(_known(scores)) for scores in (mine, theirs)):
        return paired_binary(mine, theirs, seed=seed, clusters=grouped)
    return paired_scores(mine, theirs, seed=seed, clusters=grouped)


def _known(scores: Scores) -> list[float]:
    return [score for score in scores.values() if score is not None]


def _agreement(paired: Paired) -> Agreement | None:
    return paired.agreement if isinstance(paired, PairedBinary) else None


def _effect(paired: Paired, changes: Sequence[float]) -> float | None:
    """With the flips that were seen taken for those to come; where cases share sources, by the number of those."""
    if isinstance(paired, PairedBinary):
        flips = paired.only_a + paired.only_b
        return minimum_detectable_effect(paired.sources, discordance=flips / paired.n) if flips else None
    if len(changes) < 2:
        return None
    return minimum_detectable_effect(paired.sources, sd=stdev(changes)) or None
