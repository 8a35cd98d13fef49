"""Two models made of counts, and the methods of others that ours are measured by."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

Z = 1.959963984540054


def models(both: int, only_a: int, only_b: int, neither: int) -> tuple[dict[str, bool], dict[str, bool]]:
    """Outcomes by case of two models that solve these numbers of cases."""
    pairs = [(True, True)] * both + [(True, False)] * only_a + [(False, True)] * only_b + [(False, False)] * neither
    return {f"case {i}": a for i, (a, _) in enumerate(pairs)}, {f"case {i}": b for i, (_, b) in enumerate(pairs)}


def by_case(values: Iterable[float]) -> dict[str, float]:
    """Scores, each of a case of its own."""
    return {str(i): float(value) for i, value in enumerate(values)}


def wilson_roots(successes: int, n: int) -> tuple[float, float]:
    """Wilson's interval as the two roots of (p - x/n)²·n = z²·p(1 - p), by the quadratic formula."""
    share = successes / n
    a, b, c = n + Z * Z, -(2 * n * share + Z * Z), n * share * share
    root = sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def newcombe_10(both: int, only_a: int, only_b: int, neither: int) -> tuple[float, float]:
    """Newcombe's method 10 for paired proportions, Statistics in Medicine 17 (1998) 2635-2650."""
    n = both + only_a + only_b + neither
    yes_a, yes_b = both + only_a, both + only_b
    margins = yes_a * (n - yes_a) * yes_b * (n - yes_b)
    crossed = both * neither - only_a * only_b
    phi = (max(crossed - n / 2, 0) if crossed > 0 else crossed) / sqrt(margins) if margins else 0.0
    (low_a, high_a), (low_b, high_b) = wilson_roots(yes_a, n), wilson_roots(yes_b, n)
    a, b = yes_a / n, yes_b / n
    below = sqrt((a - low_a) ** 2 - 2 * phi * (a - low_a) * (high_b - b) + (high_b - b) ** 2)
    above = sqrt((high_a - a) ** 2 - 2 * phi * (high_a - a) * (b - low_b) + (b - low_b) ** 2)
    return a - b - below, a - b + above
