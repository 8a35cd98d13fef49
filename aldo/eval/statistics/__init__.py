"""Statistics of an evaluation that puts the same cases to several models.

From scores to what may be said of them: `cases` averages repeats and pairs models by case, `proportion` and
`means` give one model's score with an interval, `paired` compares two models, `adjust` many comparisons, `power`
tells what so many cases could have shown. What may enter: numbers by case. No file, no clock, and no random
number without a seed that the caller gave. numpy does the resampling (`bootstrap`, `sign_flip`), scipy the
distributions that Python lacks (`distributions`); both load when first needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aldo._lazy import Load, lazy_names

if TYPE_CHECKING:
    from aldo.eval.statistics.adjust import holm
    from aldo.eval.statistics.cases import LeftOut, Scores, per_case
    from aldo.eval.statistics.kappa import Agreement, agreement
    from aldo.eval.statistics.means import mean_interval
    from aldo.eval.statistics.order import quantiles
    from aldo.eval.statistics.paired import Paired, PairedBinary, paired_binary, paired_scores
    from aldo.eval.statistics.power import minimum_detectable_effect
    from aldo.eval.statistics.proportion import Interval, wilson

__all__ = [
    "Agreement",
    "Interval",
    "LeftOut",
    "Paired",
    "PairedBinary",
    "Scores",
    "agreement",
    "holm",
    "mean_interval",
    "minimum_detectable_effect",
    "paired_binary",
    "paired_scores",
    "per_case",
    "quantiles",
    "wilson",
]

_HOMES = {
    "Agreement": "kappa",
    "Interval": "proportion",
    "LeftOut": "cases",
    "Paired": "paired",
    "PairedBinary": "paired",
    "Scores": "cases",
    "agreement": "kappa",
    "holm": "adjust",
    "mean_interval": "means",
    "minimum_detectable_effect": "power",
    "paired_binary": "paired",
    "paired_scores": "paired",
    "per_case": "cases",
    "quantiles": "order",
    "wilson": "proportion",
}

__getattr__: Load = lazy_names("aldo.eval.statistics", _HOMES)
