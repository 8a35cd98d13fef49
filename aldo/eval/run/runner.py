"""The order of a run: model after model, each case of each repeat, and the judges when all have answered.

A local server holds one model, so models that share one take turns; so do a judge and the models it judges.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import anyio

from aldo.errors import TransportError
from aldo.eval.evaluators import evaluate_with
from aldo.eval.run.arms import BoundArm, Prepared, server_of
from aldo.eval.run.asking import ask, now
from aldo.eval.run.grading import Grading
from aldo.eval.run.log import EvalLog, keys
from aldo.eval.run.progress import Progress, Silent
from aldo.eval.run.servers import GONE, check_servers, check_there, first_of_each_server, warm_up
from aldo.eval.usage import collect
from aldo.schema.decision import Decision
from aldo.schema.evaluation import SampleKey
from aldo.schema.suite import Case, LlmJudge
from aldo.schema.usage import UsageRow
from aldo.transport import AsyncModelClient, AsyncPool, Retry, Timeouts, resolve_async

_IN_A_ROW = 5
"""So many failures, one after another in each of the requests side by side, and a model is given up: it is gone."""

Todo = list[tuple[SampleKey, Case]]
Item = TypeVar("Item")


def run(
    prepared: Prepared,
    log: EvalLog,
    *,
    progress: Progress | None = None,
    on_usage: Callable[[UsageRow], None] | None = None,
) -> None:
    """Ask what is not in the log yet, grade what is not graded, and write both to the log as they come.

    What a server does wrong is an answer in error, in the log; a model that is gone is given up, and the next one is
    asked. Raises `TransportError` where a model cannot be reached at the start, and `UsageError` where two models turn
    out to be one; nothing is asked then. Raises `UsageError` where the log cannot be written; what is in it stays.
    """
    anyio.run(_Run(prepared, log, progress or Silent(), on_usage).go)


class _Run:
    def __init__(
        self, prepared: Prepared, log: EvalLog, progress: Progress, on_usage: Callable[[UsageRow], None] | None
    ) -> None:
        self.prepared = prepared
        self.log = log
        self.progress = progress
        self._on_usage = on_usage
        self.record = prepared.record(now())
        self._warm: set[str] = set()

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
        prepared = self.prepared
        judges = {name: self._client(pool, decision) for name, decision in prepared.judges.items()}
        clients = {arm.arm.model: self._client(pool, arm.decision) for arm in prepared.arms}
        evaluators = {
            one.name: evaluate_with(one, prepared.suite, judges, seed=prepared.settings.seed, environ=prepared.environ)
            for one in self.record.evaluators
        }
        grading = Grading(self.record, self.log, evaluators)
        todo = self._todo()
        await check_servers(prepared, pool)
        await self._try_all(pool, clients, judges, todo)
        runs = self.log.contents.runs
        if not runs or runs[-1].model_copy(update={"at": self.record.at}) != self.record:
            self.log.write(self.record)
        await self._answers(clients, grading, todo)
        for one in self.record.evaluators:
            if isinstance(one, LlmJudge):
                await self._judge(one, grading)

    def _client(self, pool: AsyncPool, decision: Decision) -> AsyncModelClient:
        """Of a pool that outlives it: there is nothing to close."""
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

    def _todo(self) -> dict[str, Todo]:
        """By model, the answers that are not in the log, or are there in error."""
        found: dict[str, Todo] = {arm.model: [] for arm in self.record.models}
        for key, case in keys(self.record):
            known = self.log.contents.samples.get(key)
            if known is None or known.state == "error":
                found[key[2]].append((key, case))
        return found

    async def _try_all(
        self,
        pool: AsyncPool,
        clients: Mapping[str, AsyncModelClient],
        judges: Mapping[str, AsyncModelClient],
        todo: Mapping[str, Todo],
    ) -> None:
        """One request to each server that will be asked: one that is down is told at once, and not in an hour."""
        firsts = first_of_each_server(self.prepared.arms)
        if not self.prepared.settings.warm_up:
            for arm in firsts:
                await check_there(arm.binding, pool)
            return
        for arm in firsts:
            if todo[arm.arm.model]:
                await warm_up(clients[arm.arm.model], self.prepared)
        servers = {arm.server for arm in firsts}
        for name, client in judges.items():
            if server_of(self.prepared.judge_bindings[name].url) not in servers and any(todo.values()):
                await warm_up(client, self.prepared)
        # By its turn a later model may have been put away for want of use.
        self._warm = {arm.arm.model for arm in (firsts if self.prepared.settings.parallel else firsts[:1])}

    async def _answers(
        self, clients: Mapping[str, AsyncModelClient], grading: Grading, todo: Mapping[str, Todo]
    ) -> None:
        async def in_turn(arms: Iterable[BoundArm]) -> None:
            for arm in arms:
                await self._arm(arm, clients[arm.arm.model], grading, todo[arm.arm.model])

        if not self.prepared.settings.parallel:
            await in_turn(self.prepared.arms)
            return
        servers: dict[str, list[BoundArm]] = {}
        for arm in self.prepared.arms:
            servers.setdefault(arm.server, []).append(arm)
        async with anyio.create_task_group() as group:
            for arms in servers.values():
                group.start_soon(in_turn, arms)

    async def _arm(self, arm: BoundArm, client: AsyncModelClient, grading: Grading, todo: Todo) -> None:
        """All answers of one model, and the grades that need no judge."""
        name, total = arm.arm.model, len(self.record.cases) * self.record.repeat
        asked = {key for key, _ in todo}
        for key, case in keys(self.record):  # answered before, but not graded, or otherwise
            if key[2] == name and key not in asked:
                await grading.grade(self.log.contents.samples[key], case)
        self.progress.begin("answers", name, total - len(todo), total)
        if todo and await self._is_there(name, client):

            async def answer(item: tuple[SampleKey, Case]) -> str | None:
                key, case = item
                sample = await ask(client, self.prepared, arm, case, key)
                self.log.write(sample)
                await grading.grade(sample, case)
                self.progress.advance("answers", name, sample.state == "error")
                gone = sample.error is not None and sample.error["code"] in GONE
                return str(sample.error["message"]) if gone and sample.error else None

            await self._side_by_side(name, todo, answer)
        self.progress.end("answers", name)

    async def _is_there(self, name: str, client: AsyncModelClient) -> bool:
        """Warm the model up in its turn. One that is gone by then is left out, and the others are asked."""
        if name in self._warm or not self.prepared.settings.warm_up:
            return True
        try:
            await warm_up(client, self.prepared)
        except TransportError as error:
            self.progress.note(f"{name} was given up: {error}")
            return False
        return True

    async def _side_by_side(
        self, name: str, items: Sequence[Item], work: Callable[[Item], Awaitable[str | None]]
    ) -> None:
        """Do them in order, so many at once as a server may be asked, until too many fail in a row.

        `work` gives why there would be no use in asking on, or None.
        """
        waiting, failures = iter(items), 0
        workers = min(self.prepared.settings.concurrency, len(items))
        limit = _IN_A_ROW * workers

        async def go_on() -> None:
            nonlocal failures
            for item in waiting:
                reason = await work(item)
                failures = 0 if reason is None else failures + 1
                if failures == limit:
                    self.progress.note(f"{name} was given up after {limit} failures in a row: {reason}")
                if failures >= limit:
                    return

        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(go_on)

    async def _judge(self, evaluator: LlmJudge, grading: Grading) -> None:
        """Case after case, the answers of all models to it: a judge who drifts, drifts for all alike."""
        samples = self.log.contents.samples
        mine = [(key, case) for key, case in keys(self.record) if key in samples and samples[key].state == "ok"]
        mine = [(key, case) for key, case in mine if evaluator.is_for(case)]
        todo = [(key, case) for key, case in mine if grading.is_due(evaluator, samples[key], case)]
        order = {case.id: place for place, case in enumerate(self.record.cases)}
        todo.sort(key=lambda item: (order[item[1].id], item[0][-1]))
        self.progress.begin("judging", evaluator.name, len(mine) - len(todo), len(mine))

        async def judge(item: tuple[SampleKey, Case]) -> str | None:
            key, case = item
            record = await grading.evaluate(evaluator, samples[key], case)
            failed = record.state == "error"
            self.progress.advance("judging", evaluator.name, failed)
            return record.reason if failed else None

        await self._side_by_side(evaluator.name, todo, judge)
        self.progress.end("judging", evaluator.name)


@contextlib.contextmanager
def _one_error() -> Iterator[None]:
    """Task groups raise groups; the first error in one speaks for all."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
