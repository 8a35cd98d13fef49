"""`aldo models`: what the catalog holds, and what is true of it."""

from __future__ import annotations

from typing import ClassVar

import click

from aldo.cli.lazy import Commands, LazyGroup


class _Models(LazyGroup):
    commands_at: ClassVar[Commands] = {
        "list": ("aldo.cli.models_list:command", "The entries; with --live, which can be used now."),
        "discover": ("aldo.cli.discover:command", "An overlay of the model servers on this machine."),
        "audit": ("aldo.cli.audit:command", "Ask live servers whether the catalog's claims are true."),
    }


@click.group("models", cls=_Models)
def command() -> None:
    """What the catalog holds, what runs here, and whether the claims are true."""
