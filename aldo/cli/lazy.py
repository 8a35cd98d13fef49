"""A group of commands each of whose modules is imported when it is called, so that nobody pays for the others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import ClassVar

import click

COMPLETING = "_ALDO_COMPLETE"
Commands = Mapping[str, tuple[str, str]]


class LazyGroup(click.Group):
    """Lists its commands without importing them: `aldo lint` does not pay for HTTP."""

    commands_at: ClassVar[Commands]
    """By name the module, or `module:attribute` where it is not called `command`, and a summary."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands_at:
            return None
        module, _, attribute = self.commands_at[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute or "command")
        return prepared(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] == "help":
            args = [*args[1:2], "--help"] if args[1:] else args
            if args == ["help"]:
                click.echo(ctx.get_help())
                ctx.exit()
        if args and args[0] not in self.commands_at:
            near = get_close_matches(args[0], self.commands_at, n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:  # the name of a group alone is a question
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit(2 if ctx.parent else 0)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.commands_at.items()])


def prepared(command: click.Command) -> click.Command:
    """What all commands have in common: the option of colours, names for kinds of values, completion."""
    if not any(param.name == "color" for param in command.params):
        command.params.append(_colour_option())
        for param in command.params:
            if isinstance(param, click.Option) and param.metavar is None and not param.is_flag:
                param.metavar = _METAVARS.get(param.type.name)
    if COMPLETING in os.environ:
        from aldo.cli.completion import teach

        teach(command)
    return command


_METAVARS = {"integer range": "N", "float range": "X", "integer": "N", "float": "X"}


def _colour_option() -> click.Option:
    return click.Option(
        ["--color/--no-color"],
        default=None,
        expose_value=False,
        is_eager=True,
        callback=_coloured,
        help="Colours. [default: on a terminal, unless NO_COLOR is set]",
    )


def _coloured(ctx: click.Context, _param: click.Parameter, wanted: bool | None) -> None:
    """The option first, wherever it stands; then NO_COLOR, FORCE_COLOR and a terminal that knows none."""
    if wanted is not None:
        ctx.color = wanted
    elif ctx.color is not None:  # the group has settled it
        return
    elif os.environ.get("NO_COLOR"):
        ctx.color = False
    elif os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        ctx.color = True
    elif os.environ.get("TERM") == "dumb":
        ctx.color = False
