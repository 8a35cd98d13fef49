"""Who answers and who judges: every model routed, bound and known to be another one, before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from aldo._version import __version__
from aldo.catalog.suites import LoadedSuite
from aldo.errors import NoEligibleModelError, UsageError
from aldo.eval.evaluators.registry import code_of
from aldo.eval.run.settings import Settings
from aldo.router import route
from aldo.schema.agent import Agent
from aldo.schema.canonical import digest
from aldo.schema.catalog import Catalog
from aldo.schema.decision import Decision
from aldo.schema.evaluation import Arm, Judge, RunRecord
from aldo.schema.frozen import thawed
from aldo.schema.places import LocalNetworks
from aldo.schema.request import RouteRequest
from aldo.schema.suite import Case, Evaluator, LlmJudge
from aldo.transport.binding import Binding, bound
from aldo.transport.chat import ChatRequest

CHARACTERS_PER_TOKEN = 4
"""The estimate of a prompt's size for routing, as in `aldo chat`."""
_JUDGES_SHARE = 2_000  # tokens: the rubric and the form of a judge's prompt


@dataclass(frozen=True)
class BoundArm:
    """A model of the comparison: what is told of it, and the decision to resolve."""

    arm: Arm
    decision: Decision
    binding: Binding

    @property
    def server(self) -> str:
        """What tells servers apart: names of this machine are one."""
        return server_of(self.arm.base_url)


@dataclass(frozen=True)
class Prepared:
    """A whole run, before anything is sent."""

    catalog: Catalog
    agent: Agent
    suite: LoadedSuite
    settings: Settings
    arms: tuple[BoundArm, ...]
    judges: Mapping[str, Decision]
    """By evaluator."""
    judge_bindings: Mapping[str, Binding]
    environ: Mapping[str, str]

    def record(self, at: str) -> RunRecord:
        """The line of the log that tells of this run."""
        body = self.suite.body
        judges = tuple(
            Judge(
                evaluator=name,
                model=binding.entry.id,
                provider=binding.entry.provider,
                upstream_model=binding.adapter.wire_model,
            )
            for name, binding in self.judge_bindings.items()
        )
        return RunRecord(
            at=at,
            aldo=__version__,
            suite=body.name,
            suite_path=self.suite.path,
            description=body.description,
            suite_digest=self.suite.digest,
            max_tokens=body.max_tokens,
            temperature=body.temperature,
            top_p=body.top_p,
            cases=self.suite.cases,
            evaluators=body.evaluators,
            evaluator_digests={one.name: self.evaluator_digest(one) for one in body.evaluators},
            threshold=dict(body.threshold),
            agent=self.agent,
            privacy=self.agent.privacy_tier,
            models=tuple(arm.arm for arm in self.arms),
            judges=judges,
            repeat=self.settings.repeat,
            seed=self.settings.seed,
            catalog_digest=self.catalog.digest,
        )

    def evaluator_digest(self, evaluator: Evaluator) -> str:
        """Of all that its grades depend on but the case and the answer. The files of a script count with what is in
        them, evaluators of other packages with the package's version."""
        judge = self.judge_bindings.get(evaluator.name)
        judged = None if judge is None else [judge.entry.id, judge.adapter.wire_model, self.settings.seed]
        written = evaluator.model_dump(mode="json", exclude={"tags"})
        behind = code_of(evaluator, self.suite.folder)
        return digest([written, thawed(self.suite.schemas.get(evaluator.name)), judged, behind])

    def request(self, case: Case, repeat: int) -> ChatRequest:
        """What a case asks, of every model alike."""
        return chat_of(self.agent, self.suite, case.input, self.settings.seed + repeat)


def prepare(
    catalog: Catalog,
    agent: Agent,
    suite: LoadedSuite,
    models: Sequence[str] = (),
    settings: Settings | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> Prepared:
    """Everything that can be known before the first request.

    `models`: catalog ids, the first of which is the baseline; without any, the router's own choice for the agent.
    Raises `UnknownNameError`, `NoEligibleModelError` for a model or a judge that may not see the agent's tier or is
    of another class, and `UsageError` where two ids are the same model on the same server.
    """
    settings, environ = settings or Settings(), os.environ if environ is None else environ
    if len(set(models)) < len(models):
        raise UsageError(f"{next(m for m in models if list(models).count(m) > 1)} is named twice: nothing to compare")
    arms = tuple(_arm(catalog, agent, suite, model, settings, environ) for model in (models or (None,)))
    _check_apart(arms)
    judges = {
        one.name: _judge(catalog, _judges_request(agent, suite, one, arms), one)
        for one in suite.body.evaluators
        if isinstance(one, LlmJudge)
    }
    bindings = {
        name: bound(catalog, catalog.by_id[decision.model], agent.privacy_tier, environ, decision.routing_digest)
        for name, decision in judges.items()
    }
    _check_judges(arms, bindings)
    return Prepared(catalog, agent, suite, settings, arms, judges, bindings, environ)


def chat_of(agent: Agent, suite: LoadedSuite, text: str, seed: int) -> ChatRequest:
    body = suite.body
    system = [{"role": "system", "content": agent.system_prompt}] if agent.system_prompt else []
    return ChatRequest(
        messages=(*system, {"role": "user", "content": text}),
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        stop=body.stop,
        seed=seed,
    )


def _arm(
    catalog: Catalog,
    agent: Agent,
    suite: LoadedSuite,
    model: str | None,
    settings: Settings,
    environ: Mapping[str, str],
) -> BoundArm:
    longest = max(len(case.input) for case in suite.cases) + len(agent.system_prompt or "")
    request = agent.request(
        pin=model, tokens_in=-(-longest // CHARACTERS_PER_TOKEN), max_tokens_out=suite.body.max_tokens
    )
    decision = route(catalog, request)
    if decision.class_used == "embeddings":
        raise UsageError("a model of the class embeddings answers no question")
    entry = catalog.by_id[decision.model]
    binding = bound(catalog, entry, decision.request.privacy, environ, decision.routing_digest)
    quantization = entry.provider_config.extra.get("quantization")
    sent = binding.adapter.chat_body(chat_of(agent, suite, "", settings.seed), stream=True)
    arm = Arm(
        model=entry.id,
        provider=entry.provider,
        upstream_model=binding.adapter.wire_model,
        base_url=binding.url,
        quantization=None if quantization is None else str(quantization),
        parameters=digest([binding.url, sent]),
    )
    return BoundArm(arm, decision, binding)


def _judge(catalog: Catalog, request: RouteRequest, evaluator: LlmJudge) -> Decision:
    try:
        return route(catalog, request)
    except NoEligibleModelError:
        itself = route(catalog, request.model_copy(update={"exclude": ()}))  # raises where that is not the reason
        raise UsageError(
            f"no judge for {evaluator.name!r}: of the class {evaluator.capability_class} only compared models, "
            f"such as {itself.model}, may see {request.privacy} data, and none may judge itself. Name another class."
        ) from None


def _check_judges(arms: tuple[BoundArm, ...], judges: Mapping[str, Binding]) -> None:
    """Models prefer their own answers, also under another id."""
    for name, judge in judges.items():
        for arm in arms:
            if (server_of(judge.url), judge.adapter.wire_model) == (arm.server, arm.arm.upstream_model):
                both = f"both are {arm.arm.upstream_model!r} at {arm.arm.base_url}"
                raise UsageError(judge_is_an_arm(name, judge, arm, both))


def judge_is_an_arm(name: str, judge: Binding, arm: BoundArm, why: str) -> str:
    """What is wrong with a judge that is one of the models it judges."""
    return (
        f"{judge.entry.id}, the judge of {name!r}, is the model that answers as {arm.arm.model}: {why}. "
        "Name another class for the judge."
    )


def _judges_request(agent: Agent, suite: LoadedSuite, evaluator: LlmJudge, arms: tuple[BoundArm, ...]) -> RouteRequest:
    """What a judge is routed by: its class, and the agent's tier, for it reads what the agent read."""
    longest = max(len(case.input) + len(str(case.ground_truth)) for case in suite.cases)
    return RouteRequest(
        capability_class=evaluator.capability_class,
        privacy=agent.privacy_tier,
        exclude=tuple(arm.arm.model for arm in arms),
        tokens_in=-(-longest // CHARACTERS_PER_TOKEN) + suite.body.max_tokens + _JUDGES_SHARE,
        max_tokens_out=evaluator.max_tokens,
    )


def server_of(url: str) -> str:
    """A base URL in one spelling."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    name = "localhost" if LocalNetworks().hold(host) else host
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    return urlunsplit((parts.scheme, f"{name}:{port}", parts.path.rstrip("/"), "", ""))


def _check_apart(arms: tuple[BoundArm, ...]) -> None:
    first: dict[tuple[str, str], BoundArm] = {}
    for one in arms:
        other = first.setdefault((one.server, one.arm.upstream_model), one)
        if other is not one:
            raise UsageError(same_model(other, one))


def same_model(one: BoundArm, other: BoundArm, why: str = "") -> str:
    """What is wrong with two ids that are one model, and what may be behind it."""
    variables = {
        name
        for arm in (one, other)
        if (name := arm.binding.adapter.data.base_url_env(arm.arm.provider)) and arm.binding.environ.get(name)
    }
    moved = f"; {' and '.join(sorted(variables))} moved it there" if variables else ""
    because = why or f"both are {one.arm.upstream_model!r} at {one.arm.base_url}{moved}"
    advice = "Run each on a server of its own, and say where in providerConfig.baseUrl."
    return f"{one.arm.model} and {other.arm.model} would be answered by one model: {because}. {advice}"
