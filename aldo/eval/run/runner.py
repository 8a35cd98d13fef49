"""The order of a run: model after model, each case of each repeat, and the judges when all have answered.

A local server holds one model, so models that share one take turns; so do a judge and the models it judges.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, Protocol

import anyio

from aldo.catalog.suites.file import applies
from aldo.errors import (
    ConnectionFailed,
    EgressRefused,
    ModelNotFound,
    TransportError,
    TransportTimeout,
    Unauthorized,
    UsageError,
)
from aldo.eval.evaluators import Evaluate, evaluate_with
from aldo.eval.run.arms import BoundArm, Prepared, same_model, server_of
from aldo.eval.run.asking import ask, now, warm_up
from aldo.eval.run.log import EvalLog, grade_digest, keys
from aldo.eval.usage import collect
from aldo.schema.decision import Decision
from aldo.schema.evaluation import SampleKey, SampleRecord, ScoreRecord
from aldo.schema.suite import Case, Evaluator, LlmJudge
from aldo.schema.usage import UsageRow
from aldo.transport import AsyncModelClient, AsyncPool, Retry, Timeouts, resolve_async
from aldo.transport.probes.available import outcome_of
from aldo.transport.probes.served import Server

_PROBE_SECONDS = 2.0
_IN_A_ROW = 5
"""So many answers in error, one after another, and a model is given up: its server is gone."""
_HOPELESS = (ConnectionFailed, EgressRefused, ModelNotFound, TransportTimeout, Unauthorized)
_GONE = {"connection", "unauthorized", "model_not_found", "egress_refused"}

Phase = Literal["answers", "judging"]


class Progress(Protocol):
    """Told of what happens. All is called in one thread."""

    def begin(self, phase: Phase, name: str, done: int, total: int) -> None:
        """A model begins to answer, or an evaluator to judge; `done` are done from before."""

    def advance(self, phase: Phase, name: str, failed: bool) -> None: ...
    def end(self, phase: Phase, name: str) -> None: ...


class _Silent:
    def begin(self, phase: Phase, name: str, done: int, total: int) -> None: ...
    def advance(self, phase: Phase, name: str, failed: bool) -> None: ...
    def end(self, phase: Phase, name: str) -> None: ...


def run(
    prepared: Prepared,
    log: EvalLog,
    *,
    progress: Progress | None = None,
    on_usage: Callable[[UsageRow], None] | None = None,
) -> None:
    """Ask what is not in the log yet, grade what is not graded, and write both to the log as they come.

    What a server does wrong is an answer in error, in the log. Raises `TransportError` where a model cannot be asked
    at all, and `UsageError` where two models turn out to be one; what is in the log by then stays.
    """
    anyio.run(_Run(prepared, log, progress or _Silent(), on_usage).go)


class _Run:
    def __init__(
        self,
        prepared: Prepared,
        log: EvalLog,
        progress: Progress,
        on_usage: Callable[[UsageRow], None] | None,
    ) -> None:
        self.prepared = prepared
        self.log = log
        self.progress = progress
        self._on_usage = on_usage
        self.record = prepared.record(now())
        self._limits: dict[str, anyio.CapacityLimiter] = {}

    def _used(self, row: UsageRow) -> None:
        collect(row)
        if self._on_usage is not None:
            self._on_usage(row)

    async def go(self) -> None:
        pool = AsyncPool()
        try:
            with _one_error():
                await self._whole(pool)
        finally:
            with anyio.CancelScope(shield=True):
                await pool.aclose()

    async def _whole(self, pool: AsyncPool) -> None:
        async with contextlib.AsyncExitStack() as stack:
            judges = {
                name: await stack.enter_async_context(self._client(pool, decision))
                for name, decision in self.prepared.judges.items()
            }
            evaluators = self._evaluators(judges)
            await self._check_servers(pool)
            self._note()
            clients = {
                arm.arm.model: await stack.enter_async_context(self._client(pool, arm.decision))
                for arm in self.prepared.arms
            }
            todo = self._todo()
            await self._warm_up_the_first(clients, todo)
            await self._answers(clients, evaluators, todo)
            for one in self.record.evaluators:
                if isinstance(one, LlmJudge):
                    await self._judge(one, evaluators[one.name])

    def _client(self, pool: AsyncPool, decision: Decision) -> AsyncModelClient:
        settings = self.prepared.settings
        return resolve_async(
            self.prepared.catalog,
            decision,
            retry=Retry(times=settings.retries),
            timeouts=Timeouts(read=settings.timeout, no_content=settings.timeout),
            on_usage=self._used,
            environ=self.prepared.environ,
            pool=pool,
        )

    def _evaluators(self, judges: Mapping[str, AsyncModelClient]) -> dict[str, Evaluate]:
        prepared = self.prepared
        return {
            one.name: evaluate_with(one, prepared.suite, judges, seed=prepared.settings.seed, environ=prepared.environ)
            for one in self.record.evaluators
        }

    def _note(self) -> None:
        """Write what is run, unless the log says so already."""
        runs = self.log.contents.runs
        if not runs or runs[-1].model_copy(update={"at": self.record.at}) != self.record:
            self.log.write(self.record)

    def _todo(self) -> dict[str, list[tuple[SampleKey, Case]]]:
        """By model, the answers that are not in the log, or are there in error."""
        found: dict[str, list[tuple[SampleKey, Case]]] = {arm.model: [] for arm in self.record.models}
        for key, case in keys(self.record):
            known = self.log.contents.samples.get(key)
            if known is None or known.state == "error":
                found[key[2]].append((key, case))
        return found

    async def _check_servers(self, pool: AsyncPool) -> None:
        """A server that has one model answers to any name: two ids at its address would be that one model."""
        first: dict[str, BoundArm] = {}
        for arm in self.prepared.arms:
            other = first.setdefault(arm.server, arm)
            if other is arm:
                continue
            binding = arm.binding
            server = await outcome_of(
                pool, arm.arm.provider, binding.url, binding.reach, binding.headers(), _PROBE_SECONDS
            )
            if isinstance(server, Server) and not server.names_matter:
                why = f"the server at {arm.arm.base_url} has one model, whatever name it is asked for"
                raise UsageError(same_model(other, arm, why))

    async def _warm_up_the_first(
        self, clients: Mapping[str, AsyncModelClient], todo: Mapping[str, list[tuple[SampleKey, Case]]]
    ) -> None:
        """Models that share no server are all tried before the first case: one that is down is told at once."""
        seen: set[str] = set()
        for arm in self.prepared.arms:
            if todo[arm.arm.model] and arm.server not in seen:
                await self._warm_up(clients[arm.arm.model])
            seen.add(arm.server)
        self._warm = {arm.arm.model for arm in _first_of_each_server(self.prepared.arms)}

    async def _warm_up(self, client: AsyncModelClient) -> None:
        if not self.prepared.settings.warm_up:
            return
        try:
            await warm_up(client, self.prepared)
        except _HOPELESS:
            raise
        except TransportError:  # of this case, perhaps: the cases will tell
            return

    async def _answers(
        self,
        clients: Mapping[str, AsyncModelClient],
        evaluators: Mapping[str, Evaluate],
        todo: Mapping[str, list[tuple[SampleKey, Case]]],
    ) -> None:
        if not self.prepared.settings.parallel:
            for arm in self.prepared.arms:
                await self._arm(arm, clients[arm.arm.model], evaluators, todo[arm.arm.model])
            return
        servers: dict[str, list[BoundArm]] = {}
        for arm in self.prepared.arms:
            servers.setdefault(arm.server, []).append(arm)

        async def in_turn(arms: Iterable[BoundArm]) -> None:
            for arm in arms:
                await self._arm(arm, clients[arm.arm.model], evaluators, todo[arm.arm.model])

        async with anyio.create_task_group() as group:
            for arms in servers.values():
                group.start_soon(in_turn, arms)

    async def _arm(
        self,
        arm: BoundArm,
        client: AsyncModelClient,
        evaluators: Mapping[str, Evaluate],
        todo: list[tuple[SampleKey, Case]],
    ) -> None:
        """All answers of one model, and the grades that need no judge."""
        name, total = arm.arm.model, len(self.record.cases) * self.record.repeat
        self.progress.begin("answers", name, total - len(todo), total)
        if todo and name not in self._warm:
            await self._warm_up(client)
        in_a_row = 0
        waiting = iter(todo)

        async def work() -> None:
            nonlocal in_a_row
            for key, case in waiting:
                async with self._limit(arm.server):
                    sample = await ask(client, self.prepared, arm, case, key)
                self.log.write(sample)
                await self._grade(sample, case, evaluators)
                self.progress.advance("answers", name, sample.state == "error")
                gone = sample.error is not None and sample.error["code"] in _GONE
                in_a_row = in_a_row + 1 if gone else 0
                if in_a_row >= _IN_A_ROW:
                    return

        async with anyio.create_task_group() as group:
            for _ in range(min(self.prepared.settings.concurrency, len(todo))):
                group.start_soon(work)
        for key, case in keys(self.record):  # what an earlier run answered, but did not grade, or graded otherwise
            known = self.log.contents.samples.get(key)
            if known is not None and key[2] == name:
                await self._grade(known, case, evaluators)
        self.progress.end("answers", name)

    def _limit(self, server: str) -> anyio.CapacityLimiter:
        return self._limits.setdefault(server, anyio.CapacityLimiter(self.prepared.settings.concurrency))

    async def _grade(self, sample: SampleRecord, case: Case, evaluators: Mapping[str, Evaluate]) -> None:
        for one in self.record.evaluators:
            if not isinstance(one, LlmJudge) and self._is_to_grade(one, sample, case):
                await self._evaluate(one, evaluators[one.name], sample, case)

    def _is_to_grade(self, evaluator: Evaluator, sample: SampleRecord, case: Case) -> bool:
        if sample.state != "ok" or not applies(evaluator, case):
            return False
        known = self.log.contents.scores.get((sample.key, evaluator.name, self._digest(evaluator, case)))
        return known is None or known.state == "error"

    def _digest(self, evaluator: Evaluator, case: Case) -> str:
        return grade_digest(self.record.evaluator_digests[evaluator.name], case)

    async def _evaluate(
        self, evaluator: Evaluator, evaluate: Evaluate, sample: SampleRecord, case: Case
    ) -> ScoreRecord:
        grade = await evaluate(case, sample.answer)
        record = ScoreRecord(
            suite_digest=sample.suite_digest,
            parameters=sample.parameters,
            model=sample.model,
            case=sample.case,
            repeat=sample.repeat,
            evaluator=evaluator.name,
            evaluator_digest=self._digest(evaluator, case),
            state=grade.state,
            score=grade.score,
            reason=grade.reason,
            usage=grade.usage,
        )
        self.log.write(record)
        return record

    async def _judge(self, evaluator: LlmJudge, evaluate: Evaluate) -> None:
        """Case after case, the answers of all models to it: a judge who drifts, drifts for all alike."""
        samples = self.log.contents.samples
        mine = [(key, case) for key, case in keys(self.record) if key in samples and samples[key].state == "ok"]
        mine = [(key, case) for key, case in mine if applies(evaluator, case)]
        todo = [(key, case) for key, case in mine if self._is_to_grade(evaluator, samples[key], case)]
        order = {case.id: place for place, case in enumerate(self.record.cases)}
        waiting = iter(sorted(todo, key=lambda item: (order[item[1].id], item[0][-1])))
        self.progress.begin("judging", evaluator.name, len(mine) - len(todo), len(mine))
        server = server_of(self.prepared.judge_bindings[evaluator.name].url)

        async def work() -> None:
            for key, case in waiting:
                async with self._limit(server):
                    record = await self._evaluate(evaluator, evaluate, samples[key], case)
                self.progress.advance("judging", evaluator.name, record.state == "error")

        async with anyio.create_task_group() as group:
            for _ in range(min(self.prepared.settings.concurrency, len(todo))):
                group.start_soon(work)
        self.progress.end("judging", evaluator.name)


def _first_of_each_server(arms: Iterable[BoundArm]) -> Iterable[BoundArm]:
    seen: dict[str, BoundArm] = {}
    for arm in arms:
        seen.setdefault(arm.server, arm)
    return seen.values()


@contextlib.contextmanager
def _one_error() -> Iterator[None]:
    """Task groups raise groups; of ours, the first error that is one of our tree speaks for all."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("a group holds an error")
