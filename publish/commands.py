"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from aldo.cli.main import cli
from publish.markdown import NOTICE, fenced, table

_HEAD = f"""\
{NOTICE}# The command line

What `aldo COMMAND --help` prints, for all commands. Options may stand anywhere after the command. Exit codes are the same everywhere:

| code | meaning |
| --- | --- |
| 0 | fine |
| 1 | findings, no model, something refuted, or a threshold missed |
| 2 | bad usage, or input that cannot be read |
| 3 | a server or the network failed |
| 130 | interrupted |

Colours are for terminals alone. `--no-color`, or `NO_COLOR` in the environment, turns them off; `--color`, or `FORCE_COLOR`, turns them on
where no terminal is seen, as in the log of a CI run.
"""


def commands_page() -> str:
    """The whole page as Markdown."""
    return "\n".join([_HEAD, *_sections(cli, "aldo", 2)])


def _sections(group: click.Group, path: str, level: int) -> Iterator[str]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from _section(command, f"{path} {name}", level)
        if isinstance(command, click.Group):
            yield from _sections(command, f"{path} {name}", level + 1)


def _section(command: click.Command, path: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{path}`\n"
    context = click.Context(command, info_name=path, max_content_width=80, terminal_width=80)
    usage = " ".join(command.collect_usage_pieces(context))
    prose, examples = _parts(inspect.cleandoc(command.help or ""))
    yield f"{prose}\n"
    yield fenced(f"{path} {usage}") + "\n"
    if examples:
        yield "For example:\n\n" + fenced(examples) + "\n"
    options = [param.get_help_record(context) for param in command.get_params(context) if param.name != "help"]
    rows = [
        (f"`{record[0]}`", record[1])
        for record in options
        if record and not record[0].startswith(("--color", "-h, --help", "--help")) and record[1]
    ]
    if rows:
        yield table(("option", "meaning"), rows) + "\n"


def _parts(said: str) -> tuple[str, str]:
    """The paragraphs, and the examples, which follow a backspace."""
    prose, _, examples = said.partition("\b\n")
    return prose.strip(), examples.strip()
