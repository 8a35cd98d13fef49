"""The report for a terminal of 80 columns. Models are told apart by letters, which stand before their names."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from aldo.errors import printable
from aldo.eval.report import words
from aldo.eval.report.model import (
    Answer,
    CaseReport,
    Comparison,
    EvaluatorReport,
    EvaluatorScore,
    Regression,
    Report,
)
from aldo.eval.report.verdicts import verdict_on

Style = Literal["bold", "good", "bad", "open", "dim"]
Paint = Callable[[str, Style], str]

_WIDTH = 80
_MOST_REGRESSIONS = 3
_MOST_LINES = 6
_MOST_REASONS = 2
_REASON = 200
_ITS_OWN = ("error", "judge-unparsable")
_GATES: dict[str, Style] = {"met": "good", "missed": "bad", "open": "open"}
_HEADS = ("ok", "fail", "error", "cut", "unparsable", "missing")


def _plain(text: str, _: Style) -> str:
    return text


def render(report: Report, paint: Paint = _plain) -> str:
    """The text; `paint` puts colour to its parts."""
    return "\n".join(_Text(report, paint).lines())


class _Text:
    def __init__(self, report: Report, paint: Paint) -> None:
        self.report = report
        self.paint = paint
        self.letters = {one.model: words.letter(number) for number, one in enumerate(report.models)}

    def lines(self) -> Iterator[str]:
        yield from self._head()
        for evaluator in self.report.evaluators:
            yield ""
            yield from self._evaluator(evaluator)
        yield ""
        yield from self._speed()
        yield from self._errors()
        yield from self._regressions()
        yield ""
        yield self.paint(words.headline(self.report), "bold")

    def _head(self) -> Iterator[str]:
        run = self.report.run
        cases = words.count(len(run.cases), "case")
        repeats = f" × {run.repeat} repeats" if run.repeat > 1 else ""
        yield self.paint(printable(f"{run.suite} by {run.agent.identity.name}"), "bold")
        yield f"  {cases}{repeats}, tier {run.privacy}, at most {run.max_tokens} tokens, seed {run.seed}"
        for one in self.report.models:
            quantization = f", {one.quantization}" if one.quantization else ""
            baseline = " (baseline)" if one.model == self.report.baseline and len(self.letters) > 1 else ""
            yield f"  {self.letters[one.model]} {printable(one.model)}{baseline}"
            yield printable(f"    {one.provider}{quantization}, {one.base_url}")

    def _evaluator(self, evaluator: EvaluatorReport) -> Iterator[str]:
        judge = f", judged by {evaluator.judge}" if evaluator.judge else ""
        threshold = f", threshold {words.percent(evaluator.threshold)}" if evaluator.threshold is not None else ""
        head = _folded(printable(f"{evaluator.name} ({evaluator.type}{judge}{threshold})"), "", "  ")
        yield head.replace(evaluator.name, self.paint(evaluator.name, "bold"), 1)
        shown = [place for place, state in enumerate(words.STATES) if place < 2 or self._any(evaluator, state)]
        heads = "".join(f"{_HEADS[place]:>{max(5, len(_HEADS[place]) + 1)}}" for place in shown)
        yield self.paint(f"   {heads}     mean of cases  95 % interval", "dim")
        for score in evaluator.scores:
            yield self._score(score, shown)
        yield from self._reasons(evaluator)
        for comparison in evaluator.comparisons:
            yield from self._comparison(comparison, evaluator.name)

    def _reasons(self, evaluator: EvaluatorReport) -> Iterator[str]:
        """Why the evaluator itself came to no score, the most frequent reasons first."""
        for model, shown in self.letters.items():
            verdicts = (
                verdict_on(answer, evaluator.name)
                for case in self.report.cases
                for answer in case.answers
                if answer.model == model and answer.state == "ok"
            )
            found = Counter(verdict.reason for verdict in verdicts if verdict is not None and verdict.state in _ITS_OWN)
            for reason, number in found.most_common(_MOST_REASONS):
                text = reason if len(reason) <= _REASON else f"{reason[:_REASON]}…"
                yield _folded(printable(f"{shown}: {number} × {text}"), "  ", "     ")

    def _any(self, evaluator: EvaluatorReport, state: str) -> bool:
        return any(score.states.get(state, 0) for score in evaluator.scores)  # type: ignore[call-overload]

    def _score(self, score: EvaluatorScore, shown: Sequence[int]) -> str:
        counts = {str(state): number for state, number in score.states.items()}
        cells = "".join(f"{counts.get(words.STATES[place], 0):>{max(5, len(_HEADS[place]) + 1)}}" for place in shown)
        mean = words.NONE if score.mean is None else words.percent(score.mean)
        over = f"{score.cases}/{score.of}"
        interval = words.percent_range(score.interval) if score.interval else words.NONE
        gate = f"  {self.paint(score.gate, _GATES[score.gate])}" if score.gate else ""
        return f"  {self.letters[score.model]}{cells}{mean:>9} {over:>8}  {interval:<16}{gate}".rstrip()

    def _comparison(self, one: Comparison, evaluator: str) -> Iterator[str]:
        yield _folded(words.verdict_sentence(one, evaluator, self._short), "  ", "    ")
        if one.regression is not None:
            style: Style = "good" if one.regression.state == "excluded" else "bad"
            text = _folded(_sentence(words.regression_text(one.regression, one.interval)), "    ", "    ")
            yield text.replace(one.regression.state, self.paint(one.regression.state, style), 1)
        if one.cases:
            yield self.paint(_folded(", ".join(self._facts(one)), "    ", "    "), "dim")

    def _facts(self, one: Comparison) -> Iterator[str]:
        yield f"{len(one.better)} better, {len(one.worse)} worse"
        if one.p_value is not None:
            yield f"p = {words.p_text(one.p_value)}".replace("= below", "below")
        if one.adjusted_p_value is not None and len(self.letters) > 2:
            yield f"by Holm {words.p_text(one.adjusted_p_value)}"
        if one.agreement is not None and one.agreement.rate is not None:
            yield f"agreement {words.percent(one.agreement.rate)}"
        if one.agreement is not None and one.agreement.kappa is not None:
            yield f"kappa {one.agreement.kappa:.2f}"

    def _short(self, name: str) -> str:
        """The letter of a model."""
        return self.letters.get(name, printable(name))

    def _speed(self) -> Iterator[str]:
        yield self.paint("speed", "bold") + self.paint(
            "   first token p50, p95   tokens/s p50, p95    tokens in     out  USD", "dim"
        )
        for one in self.report.models:
            first = f"{_time(one.ttft_ms.p50)}, {_time(one.ttft_ms.p95)}"
            rates = f"{_rate(one.tokens_per_second.p50)}, {_rate(one.tokens_per_second.p95)}"
            usd = "not known" if one.usd is None else one.usd
            yield (
                f"  {self.letters[one.model]} {first:>24} {rates:>19} {one.tokens_in:>12,} {one.tokens_out:>7,}  {usd}"
            )
        if self.report.judge_requests:
            requests = words.count(self.report.judge_requests, "request")
            yield f"  the judges: {requests}, {words.usd_text(self.report.judge_usd)}"

    def _errors(self) -> Iterator[str]:
        for one in self.report.models:
            told = [f"{number} × {code}" for code, number in sorted(one.errors.items())]
            cut = f"{one.truncated} cut at max_tokens and without a score: raise max_tokens in the suite"
            told += [cut] * bool(one.truncated)
            told += [f"{one.missing} of {one.expected} not asked yet"] * bool(one.missing)
            told += [words.count(one.retried, "request") + " sent again"] * bool(one.retried)
            if told:
                yield _folded(f"{self.letters[one.model]}: {', '.join(told)}", "  ", "     ")

    def _regressions(self) -> Iterator[str]:
        found = self.report.regressions
        if not found:
            return
        yield ""
        rest = len(found) - _MOST_REGRESSIONS
        more = f" (and {rest} more: see --format html)" if rest > 0 else ""
        yield self.paint("worst regressions", "bold") + more
        cases = {case.id: case for case in self.report.cases}
        for one in found[:_MOST_REGRESSIONS]:
            yield from self._regression(one, cases[one.case])

    def _regression(self, one: Regression, case: CaseReport) -> Iterator[str]:
        drop = f"{words.score_text(one.baseline_score)} → {words.score_text(one.score)}"
        name = printable(case.id)
        yield _folded(f"{name}  {printable(one.evaluator)} {drop}", "  ", "    ").replace(
            name, self.paint(name, "bold"), 1
        )
        for model in (self.report.baseline, one.model):
            answer = _shown_answer(case, model, one.evaluator)
            if answer is not None:
                yield from _block(f"    {self.letters[model]} ", answer.text)


def _shown_answer(case: CaseReport, model: str, evaluator: str) -> Answer | None:
    """The answer with the lowest score of a model."""
    scored = [
        (verdict.score, answer.repeat, answer)
        for answer in case.answers
        if answer.model == model and (verdict := verdict_on(answer, evaluator)) and verdict.score is not None
    ]
    return min(scored, key=lambda item: item[:2])[2] if scored else None


def _block(lead: str, text: str) -> Iterator[str]:
    room = _WIDTH - len(lead)
    lines = [
        part
        for line in text.strip().split("\n")
        for part in textwrap.wrap(printable(line.replace("\t", "  ")), room) or [""]
    ]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], "…"]
    for number, line in enumerate(lines or ["(nothing)"]):
        yield ((lead if number == 0 else " " * len(lead)) + line).rstrip()


def _folded(text: str, first: str, rest: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _time(ms: float | None) -> str:
    return words.NONE if ms is None else words.duration(ms)


def _rate(per_second: float | None) -> str:
    return words.NONE if per_second is None else words.rate(per_second)
