"""The words and numbers that all renderers of a report share: plain text, one line each, nothing escaped.

Scores go from 0 to 1 in a report. Here a mean is told in percent, and a difference of means in points, hundredths
of the full score, both with one decimal. What stands between numbers never needs escaping; the names of models and
evaluators may, so the sentences take a function for them.
"""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_uppercase

from aldo.eval.report.model import Comparison, EvaluatorScore, RegressionGate, Report
from aldo.eval.statistics import Interval

MINUS = "−"
NONE = "–"
"""What stands where there is no number."""

STATES = ("ok", "fail", "error", "truncated", "judge-unparsable", "missing")
"""In the order in which all tables count them."""

Quote = Callable[[str], str]
Number = Callable[[float], str]


def points(share: float, digits: int = 1) -> str:
    """A difference, with its sign: `+2.1`, `−10.4`, `0.0`."""
    text = f"{abs(share) * 100:.{digits}f}"
    return text if not float(text) else f"{'+' if share > 0 else MINUS}{text}"


def percent(share: float, digits: int = 1) -> str:
    """A mean: `72.9 %`."""
    return f"{share * 100:.{digits}f} %"


def points_range(interval: Interval) -> str:
    """`−10.4 to +6.2`."""
    return f"{points(interval.low)} to {points(interval.high)}"


def percent_range(interval: Interval) -> str:
    """`59.0 to 83.4 %`."""
    return f"{interval.low * 100:.1f} to {percent(interval.high)}"


def interval_text(interval: Interval, *, signed: bool) -> str:
    """`95 % interval −10.4 to +6.2`; signed for a difference."""
    level = f"{round(interval.level * 100, 2):g} %"
    return f"{level} interval {points_range(interval) if signed else percent_range(interval)}"


def p_text(p_value: float) -> str:
    """`0.013`, or `below 0.001`."""
    return "below 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def score_text(score: float) -> str:
    """The score of one case: `1`, `0`, `0.25`."""
    return f"{score:.3f}".rstrip("0").rstrip(".")


def letter(number: int) -> str:
    """What a model is called in tables: A, B, … Z, then AA, AB …"""
    return (letter(number // 26 - 1) if number >= 26 else "") + ascii_uppercase[number % 26]


def count(number: int, one: str, many: str = "") -> str:
    """`1 case`, `48 cases`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def duration(ms: float) -> str:
    """`312 ms`, `4.21 s`, `93 s`."""
    if ms < 999.5:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.2f} s" if ms < 9_995 else f"{ms / 1000:.1f} s" if ms < 99_950 else f"{ms / 1000:.0f} s"


def rate(per_second: float) -> str:
    """Tokens per second: `48.3`, `212`."""
    return f"{per_second:.1f}" if per_second < 99.95 else f"{per_second:.0f}"


def usd_text(usd: str | None) -> str:
    """`$0.0142`; `not known` where a server did not count."""
    return "not known" if usd is None else f"${usd}"


def sample_text(comparison: Comparison) -> str:
    """What was compared: `48 cases`, or `48 cases of 40 sources`."""
    cases = count(comparison.cases, "case")
    return (
        cases
        if comparison.sources == comparison.cases
        else f"{cases} of {count(comparison.sources, 'independent source')}"
    )


def headline(report: Report) -> str:
    """The outcome of all gates in a sentence: `2 of 6 gates are missed, 1 is open.`"""
    gates = [score.gate for one in report.evaluators for score in one.scores if score.gate is not None]
    limits = [one.regression.state for each in report.evaluators for one in each.comparisons if one.regression]
    total, open_ones = len(gates) + len(limits), gates.count("open")
    missed = gates.count("missed") + len(limits) - limits.count("excluded")
    if missed:
        rest = f", {open_ones} {'is' if open_ones == 1 else 'are'} open" if open_ones else ""
        return f"{missed} of {count(total, 'gate')} {'is' if missed == 1 else 'are'} missed{rest}."
    if report.incomplete:
        return "No gate is missed, but errors or a stop left answers without a score."
    if open_ones:
        known = f"{open_ones} of {count(total, 'gate')} {'is' if open_ones == 1 else 'are'} open"
        return f"{known}: what has no score could turn it either way."
    if not total:
        return "No gate was set."
    return "The gate is met." if total == 1 else f"All {total} gates are met."


def score_sentence(score: EvaluatorScore, evaluator: str, name: Quote = str) -> str:
    """`qwen-bf16 scores 72.9 % by names-the-defect (95 % interval 59.0 to 83.4 %, 48 of 48 cases).`"""
    if score.mean is None:
        return f"{name(score.model)} has no score by {name(evaluator)}: 0 of {count(score.of, 'case')}."
    known = f"{score.cases} of {count(score.of, 'case')}"
    inside = f"{interval_text(score.interval, signed=False)}, {known}" if score.interval else known
    return f"{name(score.model)} scores {percent(score.mean)} by {name(evaluator)} ({inside})."


def verdict_sentence(comparison: Comparison, evaluator: str, name: Quote = str) -> str:
    """The difference, how sure it is, and what so many cases could have shown.

    For example: `4bit scores 2.1 points lower than bf16 by names-the-defect (95 % interval −10.4 to +6.2): a
    difference this small is not shown by 48 cases, which would show 14.0 points or more.`
    """
    one, other = name(comparison.model), name(comparison.baseline)
    if comparison.difference is None or comparison.interval is None:
        return f"{one} and {other} cannot be compared by {name(evaluator)}: no case has a score for both."
    text = points(comparison.difference).lstrip(f"+{MINUS}")
    direction = "lower" if comparison.difference < 0 else "higher"
    how = f"{text} points {direction} than" if float(text) else "the same as"
    known = f"{one} scores {how} {other} by {name(evaluator)} ({interval_text(comparison.interval, signed=True)})"
    left_out = comparison.left_out.total
    rest = f" {count(left_out, 'case is', 'cases are')} left out for want of a score." if left_out else ""
    return f"{known}: {_conclusion(comparison, comparison.difference, comparison.interval)}.{rest}"


def _conclusion(comparison: Comparison, difference: float, interval: Interval) -> str:
    p_value, alpha = comparison.adjusted_p_value, 1 - interval.level
    by_holm = " by Holm" if p_value != comparison.p_value else ""
    tested = "" if p_value is None else f"p = {p_text(p_value)}{by_holm}".replace("= below", "below")
    if interval.low > 0 or interval.high < 0:
        if p_value is None or p_value <= alpha:
            return f"this is more than chance explains ({tested})" if tested else "this is more than chance explains"
        return f"the interval leaves out 0, but the test does not reject chance ({tested}), so it is not shown"
    if p_value is not None and p_value <= alpha:
        return f"the test rejects chance ({tested}), but the interval does not leave out 0, so it is not shown"
    return _not_shown(comparison, difference)


def _not_shown(comparison: Comparison, difference: float) -> str:
    cases, effect = sample_text(comparison), comparison.minimum_detectable_effect
    if not comparison.better and not comparison.worse and not comparison.difference:
        return f"they score alike in {'the one case' if comparison.cases == 1 else f'all {cases}'}"
    if effect is None:
        few = "with so few flips, " if comparison.agreement is not None else ""
        return f"{few}{cases} {'is' if comparison.cases == 1 else 'are'} too few to show any difference"
    would = f"which would show {points(effect).lstrip('+')} points or more"
    if not float(points(difference).lstrip(f"+{MINUS}")):
        return f"no difference is shown by {cases}, {would}"
    if abs(difference) < effect:
        return f"a difference this small is not shown by {cases}, {would}"
    return f"{cases} do not show it"


def gate_text(score: EvaluatorScore) -> str:
    """What became of the threshold; empty without one."""
    if score.threshold is None or score.gate is None:
        return ""
    if score.gate == "open" or score.mean is None:
        without = score.of - score.cases
        could = f"the mean over all could be {score.least * 100:.1f} to {percent(score.most)}"
        return f"threshold {percent(score.threshold)} {score.gate}: {without} of {score.of} without a score, {could}"
    for digits in (1, 2, 3, 4):  # 59.97 % must not look like the 60.0 % that it misses
        threshold, mean = percent(score.threshold, digits), percent(score.mean, digits)
        if threshold != mean or score.threshold == score.mean:
            break
    return f"threshold {threshold} {score.gate}: {mean}"


def regression_text(gate: RegressionGate, interval: Interval | None) -> str:
    """What became of the limit: `a regression of more than 5.0 points is not excluded: the interval reaches −10.4`."""
    known = f"a regression of more than {points(gate.limit).lstrip('+')} points is {gate.state}"
    if gate.against is not None and gate.state != "shown":
        reaches = "begins at" if gate.state == "excluded" else "reaches"
        what = "with all that has no score counted against the model"
        return f"{known}: {what}, the interval {reaches} {points(gate.against.low)}"
    if interval is None:
        return known
    if gate.state == "shown":
        return f"{known}: the interval ends at {points(interval.high)}"
    return f"{known}: the interval {'begins at' if gate.state == 'excluded' else 'reaches'} {points(interval.low)}"
