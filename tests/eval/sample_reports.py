"""Reports made up for the tests of the renderers: the numbers are computed, the answers are not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from aldo.eval.report.model import (
    Answer,
    CaseReport,
    Comparison,
    EvaluatorReport,
    EvaluatorScore,
    ModelReport,
    Regression,
    RegressionGate,
    Report,
    Spread,
    Verdict,
)
from aldo.eval.statistics import (
    PairedBinary,
    holm,
    mean_interval,
    minimum_detectable_effect,
    paired_binary,
    paired_scores,
    per_case,
    quantiles,
    wilson,
)
from aldo.schema.evaluation import RunRecord

BF16, FOUR, EIGHT = "mlx-qwen2.5-coder-7b-bf16", "mlx-qwen2.5-coder-7b-4bit", "mlx-qwen2.5-coder-7b-8bit"
DEFECT, SENTENCE, JUDGED = "names-the-defect", "one-sentence-each", "helpful"
THRESHOLDS = {DEFECT: 0.6, SENTENCE: 0.95}
KINDS = ("injection", "off-by-one", "null", "race", "leak")
LANGUAGES = ("python", "javascript", "go", "rust")
HOSTILE = (
    "</script><script>window.hacked = 'script'</script>",
    "<img src=x onerror=\"window.hacked = 'img'\"><svg onload=\"window.hacked='svg'\">",
    "</noscript></details></td></table><a href='javascript:window.hacked=1'>click</a><!--",
    "]]></style><style>body{display:none}</style><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "a\x00b\x1b[31mred\x07\x7f\x9b bell\r\nnext \u202egnol\u202c \u2066iso\u2069 \ud800 \ufffe end",
    "| a | b |\n|---|---|\n```\n</details>\n# big @someone #1 [x](javascript:alert(1)) ![i](https://evil.example/x.png) $x^2$ www.evil.example",
)

Scorer = Callable[[str, str, int], tuple[str, float | None]]
"""State and score by model, evaluator and number of the case."""


def _run(models: Sequence[str], cases: Sequence[CaseReport], names: Sequence[str], repeat: int) -> RunRecord:
    evaluators = [
        {"name": name, "type": "llm-judge", "capability_class": "judge", "rubric": "?", "choices": {"a": 1, "b": 0}}
        if name == JUDGED
        else {"name": name, "type": "contains", "ref": "x"}
        for name in names
    ]
    return RunRecord.model_validate(
        {
            "at": "2026-11-22T10:00:00Z", "aldo": "0.9.0", "suite": "code-review", "suite_path": "code-review.yaml", "suite_digest": "0" * 64,
            "description": "Small changes with one planted defect each. The answer has to name it.",
            "max_tokens": 200, "temperature": 0.0, "top_p": 1.0, "seed": 20261122, "repeat": repeat, "catalog_digest": "1" * 64,
            "cases": [{"id": case.id, "input": case.input.replace("\ud800", "?")} for case in cases],
            "evaluators": evaluators, "evaluator_digests": dict.fromkeys(names, "3" * 64), "threshold": {name: THRESHOLDS[name] for name in names if name in THRESHOLDS},
            "agent": {"identity": {"name": "code-reviewer"}, "privacy_tier": "sensitive", "model_policy": {"capability_class": "local-reasoning"}},
            "privacy": "sensitive",
            "models": [
                {"model": model, "provider": "mlx", "upstream_model": f"org/{model}", "base_url": "http://127.0.0.1:8080/v1", "quantization": _bits(model), "parameters": "2" * 64}
                for model in models
            ],
        }
    )  # fmt: skip


def _bits(model: str) -> str | None:
    return model.rpartition("-")[2] if model in (BF16, FOUR, EIGHT) else None


def _spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    found = quantiles(known)
    return Spread(len(known), *(found or (None, None)))


def per_second(answer: Answer) -> float | None:
    if answer.tokens_out is None or answer.ttft_ms is None or answer.latency_ms is None or answer.tokens_out < 2:
        return None
    return (answer.tokens_out - 1) / (answer.latency_ms - answer.ttft_ms) * 1000


def _model(model: str, answers: Sequence[Answer]) -> ModelReport:
    states = Counter(answer.state for answer in answers)
    errors = Counter(str(answer.error).partition(":")[0] for answer in answers if answer.state == "error")
    return ModelReport(
        model=model, provider="mlx", upstream_model=f"org/{model}", returned_models=(f"org/{model}",),
        base_url="http://127.0.0.1:8080/v1", quantization=_bits(model), expected=len(answers),
        ok=states["ok"], truncated=states["truncated"], error=states["error"], missing=states["missing"], errors=errors,
        retried=states["error"] * 2, tokens_in=123 * len(answers), tokens_out=sum(answer.tokens_out or 0 for answer in answers),
        usd="0" if model != EIGHT else None, ttft_ms=_spread([answer.ttft_ms for answer in answers]),
        tokens_per_second=_spread([per_second(answer) for answer in answers]), latency_ms=_spread([answer.latency_ms for answer in answers]),
    )  # fmt: skip


def _scores(cases: Sequence[CaseReport], model: str, name: str) -> tuple[dict[str, float | None], Counter[Any]]:
    samples, states = [], Counter[Any]()
    for case in cases:
        for answer in case.answers:
            if answer.model == model:
                found = next((one for one in answer.verdicts if one.evaluator == name), None)
                samples.append((case.id, found.score if found else None))
                states[found.state if found else "missing"] += 1
    return per_case(samples), states


def _score(model: str, scores: dict[str, float | None], states: Any, threshold: float | None, binary: bool) -> EvaluatorScore:  # fmt: skip
    known = [score for score in scores.values() if score is not None]
    mean = sum(known) / len(known) if known else None
    interval = (
        wilson(round(sum(known)), len(known)) if binary and known else mean_interval(scores, seed=1, resamples=500)
    )
    least = sum(known) / len(scores)
    most = least + (len(scores) - len(known)) / len(scores)
    gate = None if threshold is None else "met" if least >= threshold else "missed" if most < threshold else "open"
    return EvaluatorScore(model, states, len(known), len(scores), mean, interval, threshold, gate, least, most)  # type: ignore[arg-type]


def _comparison(
    model: str, baseline: str, a: Any, b: Any, binary: bool, limit: float | None, sources: dict[str, str]
) -> Comparison:
    found = paired_binary(a, b) if binary else paired_scores(a, b, seed=1, resamples=500, clusters=sources)
    flips = [(case, a[case] - b[case]) for case in a if a[case] is not None and b[case] is not None]
    better, worse = (tuple(case for case, drop in flips if sign * drop > 0) for sign in (1, -1))
    spread = {"discordance": len(better + worse) / len(flips)} if binary and flips else {"sd": 0.3}
    state = None
    if limit is not None and found.interval is not None:
        state = (
            "excluded" if found.interval.low >= -limit else "shown" if found.interval.high < -limit else "not excluded"
        )
    return Comparison(
        model=model, baseline=baseline, cases=found.n, sources=found.sources, left_out=found.left_out, mean=found.mean_a,
        baseline_mean=found.mean_b, difference=found.difference, interval=found.interval, p_value=found.p_value,
        adjusted_p_value=None, test=found.test, better=better, worse=worse,
        agreement=found.agreement if isinstance(found, PairedBinary) else None,
        minimum_detectable_effect=minimum_detectable_effect(found.n, **spread) if found.n else None,
        regression=RegressionGate(limit, state) if limit is not None and state else None,  # type: ignore[arg-type]
    )  # fmt: skip


def _evaluator(name: str, cases: Sequence[CaseReport], models: Sequence[str], limit: float | None) -> EvaluatorReport:
    threshold, sources = THRESHOLDS.get(name), {case.id: case.source or case.id for case in cases}
    found = {model: _scores(cases, model, name) for model in models}
    binary = all(score in (None, 0, 1) for scores, _ in found.values() for score in scores.values())
    scores = tuple(_score(model, *found[model], threshold, binary) for model in models)
    compared = [
        _comparison(model, models[0], found[model][0], found[models[0]][0], binary, limit, sources)
        for model in models[1:]
    ]
    adjusted = holm([one.p_value for one in compared])
    comparisons = tuple(replace(one, adjusted_p_value=p) for one, p in zip(compared, adjusted, strict=True))
    kind, judge = ("llm-judge", "judge-model-70b") if name == JUDGED else ("contains", None)
    return EvaluatorReport(name, kind, threshold, judge, binary, scores, comparisons)


def assembled(cases: Sequence[CaseReport], models: Sequence[str], names: Sequence[str], limit: float | None = 0.05, repeat: int = 1) -> Report:  # fmt: skip
    """A report with all its numbers, from cases with their answers."""
    evaluators = tuple(_evaluator(name, cases, models, limit) for name in names)
    by_model = {
        model: [answer for case in cases for answer in case.answers if answer.model == model] for model in models
    }
    scores = {(name, model): _scores(cases, model, name)[0] for name in names for model in models}
    regressions = [
        Regression(
            one.name,
            case,
            compared.model,
            scores[one.name, compared.model][case] or 0.0,
            scores[one.name, models[0]][case] or 0.0,
        )
        for one in evaluators
        for compared in one.comparisons
        for case in compared.worse
    ]
    return Report(
        run=_run(models, cases, names, repeat), log="code-review.eval.jsonl", started="2026-11-22T10:00:00Z", ended="2026-11-22T10:07:41Z",
        models=tuple(_model(model, by_model[model]) for model in models), evaluators=evaluators,
        regressions=tuple(sorted(regressions, key=lambda one: -one.drop)), cases=tuple(cases),
        judge_usd="0.0142" if JUDGED in names else None, judge_requests=len(cases) if JUDGED in names else 0,
    )  # fmt: skip


def _prose(rng: random.Random, kind: str, right: bool) -> str:
    found = f"1. Line {rng.randint(2, 9)}: the function is open to {kind}, because the value is used unchecked."
    other = "1. Line 3: the name of the variable is not descriptive, so rename it."
    tail = rng.choice(["Check the value before it is used.", "Use the parameter of the driver instead.", "Add a test."])
    return f"{found if right else other}\n2. {tail}"


def answered(model: str, number: int, state: Any, text: str, verdicts: Sequence[Verdict], repeat: int = 0) -> Answer:
    """An answer with times that depend on the model's width and the number of the case."""
    rng = random.Random(f"{model}{number}{repeat}")
    speed = {BF16: 21.0, EIGHT: 38.0}.get(model, 61.0)
    tokens, ttft = len(text.split()) * 4 // 3, 180 + 7 * speed * rng.lognormvariate(0, 0.4)
    if state in ("error", "missing"):
        error = rng.choice(["timeout: no answer within 60 s", "rate-limited: 429 Too Many Requests"])
        return Answer(
            model, repeat, state, "", "", None, error if state == "error" else None, None, None, None, tuple(verdicts)
        )
    latency = ttft + tokens / (speed * rng.uniform(0.85, 1.1)) * 1000
    reason = "length" if state == "truncated" else "stop"
    return Answer(model, repeat, state, text, "", reason, None, tokens, ttft, latency, tuple(verdicts))


def _outcomes(model: str, number: int, rng: random.Random) -> bool:
    share = {BF16: 0.75, EIGHT: 0.74}.get(model, 0.7)
    noise = random.Random(number).random() if rng.random() > 0.12 else rng.random()
    return noise < share


def _verdicts(names: Sequence[str], state: str, right: bool, rng: random.Random) -> list[Verdict]:
    if state == "missing":
        return []
    made = []
    for name in names:
        if state != "ok":
            made.append(Verdict(name, state, None, f"the answer is in state {state}"))  # type: ignore[arg-type]
        elif name == JUDGED:
            score = rng.choice([0.0, 0.5, 1.0, 1.0] if right else [0.0, 0.0, 0.5])
            unread = rng.random() < 0.06
            made.append(
                Verdict(name, "judge-unparsable", None, "the judge answered no verdict of the rubric")
                if unread
                else Verdict(name, "ok" if score == 1 else "fail", score, f"the judge says {score:g}")
            )
        elif name == SENTENCE:
            made.append(
                Verdict(name, "ok", 1.0, "the pattern matches")
                if rng.random() < 0.97
                else Verdict(name, "fail", 0.0, "the pattern does not match")
            )
        else:
            made.append(
                Verdict(name, "ok", 1.0, "one of 4 texts is in the answer")
                if right
                else Verdict(name, "fail", 0.0, "none of 4 texts is in the answer")
            )
    return made


def sample(count: int = 48, models: Sequence[str] = (BF16, FOUR), names: Sequence[str] = (DEFECT, SENTENCE), *, failing: bool = False, limit: float | None = 0.05, repeat: int = 1) -> Report:  # fmt: skip
    """A plausible report. With `failing`, some answers are in error, cut or missing."""
    cases = []
    for number in range(count):
        kind, language = KINDS[number % 5], LANGUAGES[number % 4]
        answers = []
        for model in models:
            for again in range(repeat):
                rng = random.Random(f"{model}/{number}/{again}")
                right = _outcomes(model, number, rng)
                state = rng.choices(["ok", "error", "truncated", "missing"], [88, 4, 5, 3])[0] if failing else "ok"
                text = _prose(random.Random(number) if right else rng, kind, right)
                answers.append(answered(model, number, state, text, _verdicts(names, state, right, rng), again))
        question = f"Review this function.\n\n```{language}\ndef lookup_{number}(key):\n    return table[key]\n```"
        cases.append(CaseReport(f"{language}-{kind}-{number:02}", question, [kind, f"{kind} defect"], (language, kind), f"function-{number // 2}", tuple(answers)))  # fmt: skip
    return assembled(cases, models, names, limit, repeat)


def hostile() -> Report:
    """Every text that a model, a judge, a suite or a server writes tries to break out."""
    models, cases = ("base<b>|`x`", "mo\"del'&amp;"), []
    for number, text in enumerate(HOSTILE):
        verdicts = [[Verdict(DEFECT, "ok" if right else "fail", float(right), text)] for right in (True, False)]
        answers = [answered(model, number, "ok", words, found) for model, words, found in zip(models, (text, f"{text} more {text}"), verdicts, strict=True)]  # fmt: skip
        cases.append(CaseReport(f"case {number} {text.translate(_NO_CONTROL)}", text, {"<key>": [text, 1, None]}, ("<i>tag</i>", 'a"b'), None, tuple(answers)))  # fmt: skip
    cases.append(CaseReport("error", "why", None, (), None, tuple(replace(answered(model, 9, "error", "", [Verdict(DEFECT, "error", None, HOSTILE[0])]), error=f"<b>code: {HOSTILE[1]}") for model in models)))  # fmt: skip
    return assembled(cases, models, (DEFECT,))


_NO_CONTROL = {**dict.fromkeys(range(32)), 0x7F: None, 0xD800: None}
