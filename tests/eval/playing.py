"""A played chat server, and the catalog, agent and suite of an evaluation that asks it.

The test says what each question is answered and what befalls it on the way; the server keeps count of all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from pydantic import TypeAdapter

from aldo.catalog import load_agent, load_catalog
from aldo.catalog.suites import LoadedSuite, load_suite
from aldo.eval.evaluators import Grade, evaluate_with
from aldo.eval.run import EvalLog, LogContents, Prepared, Settings, prepare, run
from aldo.schema.suite import Case, Evaluator, SuiteBody
from aldo.schema.usage import UsageRow
from tests.support.cli import aldo
from tests.support.fake_server import FakeServer, Reply, Seen, http, sse

PATIENCE = 30.0
ENVIRON = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
SAYS_YES = {"name": "says-yes", "type": "contains", "ref": "yes"}
RUBRIC = {
    "name": "useful",
    "type": "llm-judge",
    "capability_class": "reasoning-medium",
    "rubric": "good where it helps",
    "choices": {"good": 1.0, "poor": 0.25, "bad": 0.0},
}


@dataclass(frozen=True)
class Question:
    """One chat request."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def text(self) -> str:
        return str(self.body["messages"][-1]["content"])

    @property
    def is_warm_up(self) -> bool:
        return self.body.get("max_tokens") == 1

    def says(self, text: str, finish: str = "stop", tokens: int = 4) -> bytes:
        """A good answer, streamed where that was asked for."""
        usage = {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": 7 + tokens}
        if not self.body.get("stream"):
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": finish}
            return http(json.dumps({"id": "1", "model": self.model, "choices": [choice], "usage": usage}))
        deltas = [{"role": "assistant", "content": text[: len(text) // 2]}, {"content": text[len(text) // 2 :]}]
        frames: list[dict[str, Any]] = [
            {"model": self.model, "choices": [{"index": 0, "delta": one}]} for one in deltas
        ]
        frames.append({"model": self.model, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        frames.append({"choices": [], "usage": usage})
        return sse(b"".join(b"data: %s\n\n" % json.dumps(one).encode() for one in frames) + b"data: [DONE]\n\n")

    def cut(self, text: str) -> bytes:
        """The same, ending in the middle."""
        return self.says(text).partition(b'"finish_reason"')[0]


DROPPED = Reply(b"", after="reset")
Answering = Callable[[Question], "str | bytes | Reply"]


@dataclass
class Player:
    """Every chat it is asked, in order, and what it says: `answer`, unless `faults` has something for the text."""

    answer: Answering = lambda question: f"yes, {question.text}"
    faults: dict[str, list[Reply | bytes]] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    inside: int = 0
    most_inside: int = 0

    def __post_init__(self) -> None:
        self.news = threading.Condition()
        self.server = FakeServer([self._play])
        self._over = False

    def __enter__(self) -> Player:
        self.server.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        with self.news:
            self._over = True
            self.news.notify_all()
        self.server.__exit__(None, None, None)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def asked(self) -> list[Question]:
        """Without the warm-ups."""
        return [one for one in self.questions if not one.is_warm_up]

    @property
    def warm_ups(self) -> Counter[str]:
        return Counter(one.model for one in self.questions if one.is_warm_up)

    def counts(self) -> Counter[tuple[str, str]]:
        """How often each model was asked each text."""
        return Counter((one.model, one.text) for one in self.asked)

    def wait(self, until: Callable[[], bool]) -> None:
        """Until something holds, looked at whenever a question comes or is answered."""
        with self.news:
            assert self.news.wait_for(lambda: self._over or until(), PATIENCE), self.questions

    def die(self) -> None:
        """From now on nothing listens there. What is being answered is answered."""
        self.server._over.set()
        self.server._threads[0].join()
        self.server._listener.close()

    def _play(self, seen: Seen) -> Reply | bytes:
        if not seen.target.endswith("/chat/completions"):
            return http('{"error": "no such page"}', status="404 Not Found")
        question = Question(seen.json, seen.headers)
        with self.news:
            self.questions.append(question)
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            queued = self.faults.get(question.text, []) if not question.is_warm_up else []
            fault = queued.pop(0) if queued else None
            self.news.notify_all()
        said = self.answer(question) if fault is None else fault
        with self.news:  # before the first byte goes out: nobody can ask again for having been answered
            self.inside -= 1
            self.news.notify_all()
        return question.says(said) if isinstance(said, str) else said


def entry(name: str, url: str, **more: Any) -> dict[str, Any]:
    """A local model behind a played server."""
    base: dict[str, Any] = {
        "id": name,
        "provider": "acme",
        "providerKind": "openai-compat",
        "locality": "local",
        "capabilityClass": "local-reasoning",
        "provides": ["streaming"],
        "privacyAllowed": ["public", "internal", "sensitive"],
        "effectiveContextTokens": 1_000_000,
        "cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0},
        "providerConfig": {"baseUrl": f"{url}/v1", "model": name},
    }
    return base | more


def judge_entry(url: str, **more: Any) -> dict[str, Any]:
    """A model that can judge."""
    return entry("the-judge", url, **({"capabilityClass": "reasoning-medium"} | more))


@dataclass
class Bench:
    """An evaluation in a folder: its files, and ways to run it."""

    folder: Path
    log: Path = field(init=False)
    usage: list[UsageRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = self.folder / "log.jsonl"
        self.agent()

    def catalog(self, *entries: Mapping[str, Any]) -> Bench:
        return self._put("models.yaml", {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": entries})

    def agent(self, **more: Any) -> Bench:
        policy = {"capability_class": "local-reasoning", "fallback": ["fast-draft"]}
        base: dict[str, Any] = {"identity": {"name": "tester"}, "privacy_tier": "sensitive", "model_policy": policy}
        return self._put("agent.yaml", {"schema": "aldo-ai/agent.v1", **base, **more})

    def suite(
        self,
        cases: Sequence[str | Mapping[str, Any]] = ("one", "two", "three"),
        evaluators: Sequence[Mapping[str, Any]] = (SAYS_YES,),
        **more: Any,
    ) -> Bench:
        written = [{"id": one, "input": one} if isinstance(one, str) else one for one in cases]
        body = {"name": "played", "cases": written, "evaluators": evaluators, **more}
        return self._put("suite.yaml", {"version": 1, "schema": "aldo-ai/eval.v1", "suite": body})

    def _put(self, name: str, value: Any) -> Bench:
        (self.folder / name).write_text(json.dumps(value), "utf-8")  # JSON is YAML
        return self

    def prepared(self, *models: str, environ: Mapping[str, str] | None = None, **settings: Any) -> Prepared:
        return prepare(
            load_catalog(self.folder / "models.yaml"),
            load_agent(self.folder / "agent.yaml"),
            load_suite(self.folder / "suite.yaml"),
            models,
            Settings(**settings),
            environ={**ENVIRON, **(environ or {})},
        )

    def go(self, *models: str, resume: bool = False, **more: Any) -> LogContents:
        """Run it in this process; what the log says then."""
        prepared = self.prepared(*models, **more)
        with EvalLog(self.log, resume=resume) as log:
            run(prepared, log, on_usage=self.usage.append)
            return log.contents

    def command(self, *models: str, resume: bool = False) -> list[str]:
        """The arguments of `aldo` for it."""
        named = [part for model in models for part in ("--model", model)]
        files = [
            f"--{name}={self.folder / file}" for name, file in (("suite", "suite.yaml"), ("catalog", "models.yaml"))
        ]
        more = ["--resume"] if resume else []
        return ["eval", "run", str(self.folder / "agent.yaml"), *files, *named, f"--log={self.log}", *more]

    def cli(self, *models: str, resume: bool = False, options: Iterable[str] = (), **environment: str) -> Any:
        return aldo(*self.command(*models, resume=resume), *options, cwd=self.folder, **environment)

    def lines(self, kind: str = "") -> list[dict[str, Any]]:
        """The log's lines, of one kind or all; each is whole."""
        raw = self.log.read_bytes()
        assert raw.endswith(b"\n") or not raw
        found = [json.loads(line) for line in raw.splitlines()]
        return [line for line in found if kind in ("", line["kind"])]

    def answered(self) -> Counter[tuple[str, str, int]]:
        """How often the log has an answer, by model, case and repeat."""
        whole = [one for one in self.lines("sample") if one["state"] != "error"]
        return Counter((one["model"], one["case"], one["repeat"]) for one in whole)


@contextmanager
def started(arguments: Sequence[str], cwd: Path, prefix: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """`aldo` as a process that the test may kill; killed at the end if it still runs."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ALDO_", "GITHUB_"))}
    command = [*(prefix or (sys.executable, "-m", "aldo.cli.main")), *arguments]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=env | {"PYTHONIOENCODING": "utf-8", "ALDO_TODAY": "2026-11-22"},
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def without_times(report: Mapping[str, Any]) -> Any:
    """A report as JSON without what no two runs share."""
    timed = {"started", "ended", "log", "ttftMs", "latencyMs", "tokensPerSecond", "retried"}

    def bare(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: bare(part) for name, part in value.items() if name not in timed}
        return [bare(part) for part in value] if isinstance(value, list) else value

    return bare(report)


def grade(evaluator: Mapping[str, Any], answer: str, truth: Any = None, **where: Any) -> Grade:
    """What one evaluator, written as in a suite, makes of one answer."""
    return anyio.run(partial(grading, evaluator, answer, truth, **where))


async def grading(
    evaluator: Mapping[str, Any],
    answer: str,
    truth: Any = None,
    *,
    folder: Path | str = ".",
    environ: Mapping[str, str] = ENVIRON,
) -> Grade:
    """The same for a test that has a loop of its own."""
    parsed: Any = TypeAdapter(Evaluator).validate_python({"name": "it", **evaluator}, by_alias=True, by_name=False)
    case = Case(id="the-case", input="the input", ground_truth=truth, tags=("t",))
    body = SuiteBody(name="s", cases=(case,), evaluators=(parsed,))
    suite = LoadedSuite(str(Path(folder) / "suite.yaml"), body, (case,), {"it": evaluator.get("schema")})
    return await evaluate_with(parsed, suite, {}, seed=1, environ=environ)(case, answer)
