"""What `chat` and `embed` share: how patiently to ask, where usage goes, and reading what to ask from files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from aldo.cli.options import Finite
from aldo.errors import UsageError
from aldo.schema import Catalog, Decision
from aldo.transport import ModelClient, Retry, Timeouts, resolve
from aldo.transport.usage_log import UsageLog

Command = TypeVar("Command", bound=Callable[..., Any])


class Manner(NamedTuple):
    """How to ask."""

    timeout: float
    retries: int
    failover: bool
    usage: str | None


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--timeout",
        type=Finite(0, 86_400, min_open=True),
        default=300.0,
        show_default=True,
        help="Seconds to wait for the next bytes.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0, 100),
        default=2,
        show_default=True,
        help="How often to ask the same server again, before the first byte of an answer.",
    ),
    click.option("--failover", is_flag=True, help="When a model fails, ask the next of the decision's alternates."),
    click.option(
        "--usage", metavar="FILE", help="Append a usage row for every request sent. [default: $ALDO_USAGE_LOG]"
    ),
)


def manner_options(command: Command) -> Command:
    """They arrive as keyword arguments; see `manner_of`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def manner_of(options: dict[str, Any]) -> Manner:
    """Takes those options out of the keyword arguments."""
    usage = options.pop("usage")
    if usage == "":
        raise UsageError("--usage is empty; name a file")
    return Manner(
        options.pop("timeout"),
        options.pop("retries"),
        options.pop("failover"),
        usage or os.environ.get("ALDO_USAGE_LOG") or None,
    )


@contextmanager
def client_for(catalog: Catalog, decision: Decision, manner: Manner) -> Iterator[ModelClient]:
    """The client of a decision. The usage log is opened first: what cannot be logged is not sent."""
    log = UsageLog(manner.usage) if manner.usage else None
    try:
        with resolve(
            catalog,
            decision,
            failover=manner.failover,
            retry=Retry(times=manner.retries),
            timeouts=Timeouts(read=manner.timeout, no_content=manner.timeout),
            on_usage=log.write if log else None,
        ) as client:
            yield client
    finally:
        if log:
            log.close()


def piped_text(what: str) -> str:
    """Standard input as text. `what` it is to be, for the error where nobody pipes."""
    if sys.stdin is None:
        raise UsageError(f"standard input is closed, and there is no {what}")
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def file_bytes(path: str) -> bytes:
    """A file's bytes. Raises `UsageError` where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{path} cannot be read: {reason}") from None


def json_file(path: str) -> Any:
    """The JSON of a file. Raises `UsageError` with the place where it is none."""
    try:
        return json.loads(file_bytes(path))
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}:{error.colno}: no JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no JSON: {error}") from None


def tools_of(paths: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    """The tools of the files, each with one or a list of them in OpenAI's form."""
    tools: dict[str, dict[str, Any]] = {}
    for path in paths:
        content = json_file(path)
        found = content if isinstance(content, list) else [content]
        if not found:
            raise UsageError(f"{path}: there is no tool in it")
        for number, tool in enumerate(found, start=1):
            place = path if len(found) == 1 else f"{path}: tool {number}"
            name = _tool_name(tool, place)
            if name in tools:
                raise UsageError(f"{place}: there are two tools called {name!r}")
            tools[name] = tool
    return tuple(tools.values())


def _tool_name(tool: Any, place: str) -> str:
    form = '{"type": "function", "function": {"name": …, "parameters": {…}}}'
    function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    if not isinstance(function, dict):
        raise UsageError(f"{place}: a tool is written {form}")
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise UsageError(f"{place}: the function has no name; a tool is written {form}")
    if not isinstance(function.get("parameters", {}), dict):
        raise UsageError(f"{place}: the parameters of {name!r} are no JSON Schema")
    return name
