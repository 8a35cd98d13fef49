"""`aldo`: the command group. Each command's module is imported only when it is called."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar

import click

from aldo._version import __version__
from aldo.cli.failure import INTERRUPTED, print_error, reported
from aldo.cli.lazy import Commands, LazyGroup, prepared
from aldo.cli.terminal import fold
from aldo.errors import UsageError

_COMMANDS = {
    "demo": ("aldo.cli.demo.command", "What aldo does, each step as you would type it."),
    "lint": ("aldo.cli.lint", "Check catalog files; every defect with its place."),
    "route": ("aldo.cli.route", "Which model serves a request, and why."),
    "prove": ("aldo.cli.prove", "Prove statements about routing for every request."),
    "diff": ("aldo.cli.diff", "Which requests two catalogs route differently."),
    "test": ("aldo.cli.test", "Run examples of requests and what must come of them."),
    "replay": ("aldo.cli.replay", "Price and compare every request of a large log."),
    "catalog": ("aldo.cli.catalog", "Layers: where a value comes from; set, add, remove, import."),
    "chat": ("aldo.cli.chat", "Route a prompt, bind the model, stream its answer."),
    "embed": ("aldo.cli.embed", "Route texts to an embedding model, print vectors."),
    "usage": ("aldo.cli.usage", "Sum usage logs: requests, tokens, cost."),
    "eval": ("aldo.cli.evals", "Put suites of cases to models, and compare."),
    "serve": ("aldo.cli.serve", "An OpenAI-compatible gateway that routes."),
    "keys": ("aldo.cli.keys", "Make keys for clients of the gateway."),
    "models": ("aldo.cli.models", "What the catalog holds, what runs here, what is true."),
    "schema": ("aldo.cli.schema", "Print the JSON Schema of a file or message."),
    "completion": ("aldo.cli.completion", "Print the script for completion in your shell."),
}


_MAY_LAST = {"chat", "demo", "embed", "eval", "models", "serve"}


class _Aldo(LazyGroup):
    commands_at: ClassVar[Commands] = _COMMANDS

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _MAY_LAST:
            gc.enable()
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Aldo, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", "-V", prog_name="aldo")
def cli() -> None:
    """Route language-model requests by capability class, privacy tier and budget.

    The catalog is the command's --catalog FILE, else $ALDO_CATALOG, else ./models.yaml, else the one that ships
    with aldo. Exit codes: 0 fine; 1 findings, no model, or something refuted; 2 bad usage or unreadable input; 3 a
    server or the network failed.

    \b
    aldo demo                                 see it all once
    aldo lint models.yaml                     check a catalog
    aldo route --class local-reasoning --privacy sensitive
    aldo help route                           what a command does, with examples

    Documentation: https://docs.aldo.example
    """


prepared(cli)


def script() -> None:
    """The console script: `main`, and then an end without taking apart what was loaded.

    That would take a quarter of a small lint's time, and much longer after a large one. mypy ends so, too.
    """
    try:
        main()
    except SystemExit as ended:
        if gc.isenabled() or not isinstance(ended.code, int):  # a command that may hold threads and sockets
            raise
        sys.stderr.flush()
        os._exit(ended.code)


def main() -> None:
    """Run the command line; ends in `SystemExit`, with everything written to standard output."""
    # No plugin of pydantic has a say in our types, and to look for them takes as long as a small lint.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()  # most commands end soon, and the collector would visit all they loaded again and again
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character still gets the rest
    as_json = _wants_json(sys.argv[1:])
    with reported(as_json=as_json):
        try:
            sys.exit(cli(prog_name="aldo", standalone_mode=False))
        except click.exceptions.Abort:
            sys.exit(INTERRUPTED)
        except click.ClickException as error:
            if as_json:
                print_error(UsageError(" ".join([error.format_message(), *_what_to_do(error)])), as_json=True)
            else:
                hints = list(_what_to_do(error))
                if hints and isinstance(error, click.NoSuchOption):
                    error.possibilities = []  # type: ignore[misc] # what is spelt alike is not what is meant
                error.show()
                for hint in hints:
                    click.echo(fold(hint, first="  ", rest="  "), err=True)
            sys.exit(error.exit_code)


def _wants_json(words: list[str]) -> bool:
    """Whether an error is to be JSON too, which must be known before the options are understood."""
    options = words[: words.index("--")] if "--" in words else words
    return "--json" in options or "--format=json" in options or ("--format", "json") in pairwise(options)


def _what_to_do(error: click.ClickException) -> Iterator[str]:
    """A hint for an option that stands in another place than it is looked for."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return
    command, option = error.ctx.command, error.option_name
    if option == "--catalog" and isinstance(command, click.Group):
        yield f"It goes after the command: {error.ctx.command_path} COMMAND --catalog FILE"
    elif option == "--catalog":
        yield f"The files are arguments here: {error.ctx.command_path} FILE"
    elif option == "--format" and any("--json" in param.opts for param in command.params):
        yield "This command prints text, or JSON with --json."


if __name__ == "__main__":
    script()
