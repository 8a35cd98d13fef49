"""Many comparisons at once."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's adjusted p-values, in the order given. Of those at most α, any is false with a probability of at most α.

    None, a comparison that could not be made, stays None and does not count. Raises ValueError for a number that is
    no probability.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979) 65-70; adjusted as in Wright, Biometrics 48 (1992)
    1005-1013: the largest of (m - j + 1)·p(j) up to its own rank, at most 1.
    """
    ranked = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(ranked):
        if not 0 <= p <= 1:
            raise ValueError(f"{p} is no p-value")
        largest = max(largest, min(1.0, (len(ranked) - rank) * p))
        adjusted[place] = largest
    return tuple(adjusted)
