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
from aldo.catalog.chosen import catalog_path, chosen_catalog, chosen_overlays
from aldo.catalog.suites import load_suite
from aldo.cli.eval_progress import Bars
from aldo.cli.eval_report import Wanted, report_options
from aldo.cli.extras import check_extra
from aldo.cli.failure import INTERRUPTED, reported
from aldo.cli.options import Finite, catalog_option
from aldo.cli.terminal import fold
from aldo.errors import AldoError, UsageError, printable
from aldo.eval.report.build import WHOLE, build_report
from aldo.eval.run import EvalLog, Prepared, Settings, prepare, read_log, run
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
        wanted = Wanted.of(options)
        check_extra("eval")
        if usage == "":
            raise UsageError("--usage is empty; name a file")
        loaded_suite = load_suite(suite)
        wanted.limits.check([*(one.name for one in loaded_suite.body.evaluators), WHOLE], max(1, len(models)))
        prepared = prepare(
            chosen_catalog(catalog, overlays), load_agent(agent), loaded_suite, models, Settings(**options)
        )
        path = _log_path(log, prepared, resume)
        rows = usage or os.environ.get("ALDO_USAGE_LOG")
        files = (
            catalog_path(catalog),
            *chosen_overlays(overlays),
            agent,
            *loaded_suite.files,
            path,
            *filter(None, [rows]),
        )
        wanted.keep(files)
        with EvalLog(path, resume=resume) as opened:
            if resume:
                click.echo(f"going on with {printable(path)}: {_done(opened)} are there", err=True)
            _run(prepared, opened, rows)
            report = build_report(opened.contents, wanted.limits)
        if wanted.form == "text":
            click.echo(f"log: {printable(path)}", err=True)
        wanted.tell(report)
        sys.exit(report.exit_code)


def _run(prepared: Prepared, log: EvalLog, usage: str | None) -> None:
    """Ask and grade. Whatever ends it early, what is in the log is told."""
    with Bars() as bars, _usage_log(usage) as usage_log:
        try:
            run(prepared, log, progress=bars, on_usage=usage_log.write if usage_log else None)
        except KeyboardInterrupt:
            bars.close()
            _say_stopped(log, "Stopped")
            log.close()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(INTERRUPTED)  # an evaluator of somebody else's may still be busy in its thread
        except AldoError:
            bars.close()
            _say_stopped(log, "Given up")
            raise


def _log_path(given: str | None, prepared: Prepared, resume: bool) -> str:
    """The log to write: the one that is named, the newest of just these to go on with, or a new one."""
    if given == "":
        raise UsageError("--log is empty; name a file")
    if given is not None:
        return given
    suite = prepared.suite.body.name
    name, folder = re.sub(r"[^A-Za-z0-9._-]", "-", suite), Path(FOLDER)
    if resume:
        found = sorted(folder.glob("*.jsonl"), key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        for path in found:
            if path.name.startswith(f"{name}-") and _is_of(path, prepared):
                return str(path)
        raise UsageError(f"{FOLDER}/ has no log of {suite} with this agent and these models; name one with --log")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"{FOLDER}/ cannot be made: {error.strerror}; name a --log") from None
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    path, number = folder / f"{name}-{now}.jsonl", 1
    while path.exists():
        path, number = folder / f"{name}-{now}-{number}.jsonl", number + 1
    return str(path)


def _is_of(path: Path, prepared: Prepared) -> bool:
    """Whether a log was last written by a run of the same suite, agent and models."""
    try:
        last = read_log(path).run
    except UsageError:  # empty, or something else
        return False
    here = (prepared.suite.body.name, prepared.agent.identity.name, {arm.arm.model for arm in prepared.arms})
    return (last.suite, last.agent.identity.name, {arm.model for arm in last.models}) == here


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
    named = "" if Path(log.path).parent == Path(FOLDER) else f" --log {log.path}"
    text = f"{what}: {_done(log)} are in {log.path}; the same command with --resume{named} goes on."
    click.echo(fold(printable(text), rest="  "), err=True)


def _done(log: EvalLog) -> str:
    """How much of the last run is there."""
    if not log.contents.runs:
        return "no answers"
    wanted = [key for key, _ in keys(log.contents.run)]
    samples = log.contents.samples
    done = sum(key in samples and samples[key].state != "error" for key in wanted)
    return f"{done} of {len(wanted)} answers"
