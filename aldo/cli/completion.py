"""What the shell completes: files, the names of the catalog, the codes of rules. Loaded only when a shell asks.

`aldo completion bash` prints the script that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from aldo.errors import AldoError

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_ALDO_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script that lets your shell complete commands, options, names of the catalog and files.

    \b
    eval "$(aldo completion bash)"              # in ~/.bashrc
    eval "$(aldo completion zsh)"               # in ~/.zshrc
    aldo completion fish > ~/.config/fish/completions/aldo.fish
    """
    from aldo.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None
    # The script alone: its class would look at the shell's version, and there may be none of that shell here.
    text = found.source_template % found(cli, {}, "aldo", _VARIABLE).source_vars()
    if shell == "bash":  # where nothing of ours fits, the shell's own completion of files goes on
        text = text.replace("complete -o nosort -F", "complete -o nosort -o default -F")
    click.echo(text)


def teach(given: click.Command) -> None:
    """Let every parameter of a command complete what it takes."""
    for param in given.params:
        completer = _completer(param)
        if completer is not None:
            param._custom_shell_complete = completer


def _completer(param: click.Parameter) -> Completer | None:
    if isinstance(param.type, click.Choice):
        return None
    if param.name in _NAMES:
        return _listed(_NAMES[param.name])
    shown = (param.metavar or param.name or "").upper()
    if any(word in shown for word in ("FILE", "DIR", "POLICY", "AGENT", "LOG", "BASE", "HEAD", "SUITE", "PATH")):
        return _files
    return None


def _files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]


def _listed(names: Callable[[], Iterable[str]]) -> Completer:
    def complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        try:
            return [CompletionItem(before + comma + name) for name in sorted(set(names())) if name.startswith(last)]
        except AldoError:
            return []  # a catalog that cannot be read: a shell is no place to say so

    return complete


def _catalog() -> Any:
    from aldo.catalog.chosen import chosen_catalog

    return chosen_catalog(None, ())


def _ids() -> Iterable[str]:
    return [entry.id for entry in _catalog().models]


def _classes() -> Iterable[str]:
    from aldo.schema.vocabulary import CAPABILITY_CLASSES

    return [*CAPABILITY_CLASSES, *(entry.capability_class for entry in _catalog().models)]


def _tags() -> Iterable[str]:
    from aldo.schema.vocabulary import CAPABILITIES

    return [*CAPABILITIES, *(tag for entry in _catalog().models for tag in entry.provides)]


def _codes() -> Iterable[str]:
    from aldo.validate.registry import all_rules

    return all_rules()


def _localities() -> Iterable[str]:
    from aldo.schema.vocabulary import LOCALITIES

    return LOCALITIES


_NAMES: dict[str | None, Callable[[], Iterable[str]]] = {
    "capability_class": _classes,
    "fallback_classes": _classes,
    "requires": _tags,
    "localities": _localities,
    "pin": _ids,
    "exclude": _ids,
    "down": _ids,
    "asked": _ids,
    "models": _ids,
    "model": _ids,
    "entry": _ids,
    "ids": _ids,
    "place": _ids,
    "select": _codes,
    "ignore": _codes,
    "explain": _codes,
}
