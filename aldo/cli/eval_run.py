"""`aldo eval run`: put a suite to models, remember every answer, and report."""

from __future__ import annotations

import datetime
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from aldo.catalog import load_agent
from aldo.catalog.suites import LoadedSuite, load_suite
from aldo.cli.eval_progress import Bars
from aldo.cli.eval_report import Wanted, report_options
from aldo.cli.failure import INTERRUPTED, reported
from aldo.cli.options import Finite, catalog_option, chosen_catalog
from aldo.cli.terminal import fold
from aldo.errors import TransportError, UsageError, printable
from aldo.eval.report import build_report
from aldo.eval.run import EvalLog, Settings, prepare, run
from aldo.eval.run.log import keys
from aldo.transport.usage_log import UsageLog

FOLDER = "eval-logs"


@click.command("run")
@click.argument("agent", metavar="AGENT")
@click.option("--suite", required=True, metavar="FILE", help="The cases, the evaluators and their thresholds.")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="ID",
    help="A model to compare; the first is the baseline. [default: the router's choice]",
)
@catalog_option
@click.option("--repeat", type=click.IntRange(1, 1000), default=1, show_default=True, help="Ask each case so often.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True, help="Of samplers and statistics.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Requests at once for each server. More than one blurs the times.",
)
@click.option("--parallel", is_flag=True, help="Ask models on different servers at the same time.")
@click.option("--warm-up/--no-warm-up", default=True, help="First a request to each model that does not count.")
@click.option(
    "--timeout",
    type=Finite(0, 86_400, min_open=True),
    default=300.0,
    show_default=True,
    help="Seconds to wait for the next bytes.",
)
@click.option("--retries", type=click.IntRange(0, 100), default=2, show_default=True, help="For what fails in passing.")
@click.option("--log", metavar="FILE", help=f"Where to remember answers. [default: {FOLDER}/SUITE-TIME.jsonl]")
@click.option("--resume", is_flag=True, help="Go on with a log: ask what is missing, and again what failed.")
@click.option("--usage", metavar="FILE", help="Append a usage row for every request sent. [default: $ALDO_USAGE_LOG]")
@report_options
def command(
    agent: str,
    suite: str,
    models: tuple[str, ...],
    catalog: str | None,
    overlays: tuple[str, ...],
    log: str | None,
    resume: bool,
    usage: str | None,
    **options: Any,
) -> None:
    """Put every case of a suite to each model, as an agent would, grade the answers, and compare.

    The agent says the class, the privacy tier and the system prompt; a model must be one that the router may choose
    for it. Every answer is logged the moment it is there: stopped at any point, --resume goes on, and asks nothing
    twice. The log holds prompts and answers. Exit codes as of `aldo eval report`.

    \b
    aldo eval run agency/agents/code-reviewer.yaml \\
        --model mlx-qwen2.5-7b-instruct-4bit \\
        --model mlx-qwen2.5-7b-instruct-bf16 \\
        --suite suites/code-review.yaml
    aldo eval run agent.yaml --suite s.yaml --model a --resume --output html=report.html
    """
    with reported(as_json=bool(options["as_json"])):
        wanted = Wanted.of(options, inputs=(agent, suite, *([log] if log else [])))
        check_extra()
        if usage == "":
            raise UsageError("--usage is empty; name a file")
        loaded_suite = load_suite(suite)
        wanted.limits.check(one.name for one in loaded_suite.body.evaluators)
        chosen = chosen_catalog(catalog, overlays)
        prepared = prepare(chosen, load_agent(agent), loaded_suite, models, Settings(**options))
        path = _log_path(log, loaded_suite, resume)
        rows = usage or os.environ.get("ALDO_USAGE_LOG")
        with EvalLog(path, resume=resume) as opened:
            with Bars() as bars, _usage_log(rows) as usage_log:
                try:
                    run(prepared, opened, progress=bars, on_usage=usage_log.write if usage_log else None)
                except KeyboardInterrupt:
                    bars.close()
                    _say_stopped(opened, "Stopped")
                    sys.exit(INTERRUPTED)
                except TransportError:
                    bars.close()
                    _say_stopped(opened, "Given up")
                    raise
            report = build_report(opened.contents, wanted.limits)
        wanted.tell(report)
        if wanted.form == "text":
            click.echo(f"log: {printable(path)}", err=True)
        sys.exit(report.exit_code)


def check_extra() -> None:
    """Raises `UsageError` where a library of the extra is missing: told now, and not after an hour of answers."""
    from importlib.util import find_spec

    missing = [name for name in ("numpy", "scipy", "re2", "tqdm") if find_spec(name) is None]
    if missing:
        raise UsageError(f"this needs the extra `eval` ({missing[0]}): pip install 'aldo-gateway[eval]'")


def _log_path(given: str | None, suite: LoadedSuite, resume: bool) -> str:
    """The log to write: the one that is named, the newest of this suite to go on with, or a new one."""
    if given == "":
        raise UsageError("--log is empty; name a file")
    if given is not None:
        return given
    name = re.sub(r"[^A-Za-z0-9._-]", "-", suite.body.name)
    folder = Path(FOLDER)
    if resume:
        stamped = re.compile(rf"{re.escape(name)}-\d{{8}}-\d{{6}}(-\d+)?\.jsonl")
        found = [path for path in folder.glob("*.jsonl") if stamped.fullmatch(path.name)]
        if not found:
            raise UsageError(f"there is no log of {suite.body.name} in {FOLDER}/ to go on with; name it with --log")
        return str(max(found, key=lambda path: (path.stat().st_mtime_ns, path.name)))
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"{FOLDER}/ cannot be made: {error.strerror}; name a --log") from None
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    path, number = folder / f"{name}-{now}.jsonl", 1
    while path.exists():
        path, number = folder / f"{name}-{now}-{number}.jsonl", number + 1
    return str(path)


@contextmanager
def _usage_log(path: str | None) -> Iterator[UsageLog | None]:
    if not path:
        yield None
        return
    with UsageLog(path) as log:
        yield log


def _say_stopped(log: EvalLog, what: str) -> None:
    """What is safe, and how to go on."""
    if not log.contents.runs:
        return
    wanted = [key for key, _ in keys(log.contents.run)]
    done = sum(key in log.contents.samples and log.contents.samples[key].state != "error" for key in wanted)
    text = f"{what}: {done} of {len(wanted)} answers are in {log.path}; the same command with --resume"
    named = "" if Path(log.path).parent == Path(FOLDER) else f" --log {log.path}"
    click.echo(fold(printable(f"{text}{named} goes on."), rest="  "), err=True)
