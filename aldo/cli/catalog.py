"""`aldo catalog`: layers seen and edited."""

from __future__ import annotations

from typing import ClassVar

import click

from aldo.cli.lazy import Commands, LazyGroup


class _Catalog(LazyGroup):
    commands_at: ClassVar[Commands] = {
        "explain": ("aldo.cli.layers:explain", "Which layer set each value of an entry."),
        "render": ("aldo.cli.layers:render", "The merged catalog."),
        "diff": ("aldo.cli.layers:fields", "Two catalogs, field by field."),
        "set": ("aldo.cli.edit:set_values_", "Set values of an entry in a file."),
        "unset": ("aldo.cli.edit:unset_values_", "Take values of an entry back, or away."),
        "add": ("aldo.cli.edit:add_entry_", "Add an entry to a file."),
        "remove": ("aldo.cli.edit:remove_entry_", "Remove an entry in a file."),
        "new": ("aldo.cli.edit:new_overlay", "Write an empty overlay."),
        "import": ("aldo.cli.prices:command", "Make an overlay of a price list."),
    }


@click.group("catalog", cls=_Catalog)
def command() -> None:
    """Layers over a catalog: what they come to, where each value is from, and edits that keep a file as it is.

    Routing differences are `aldo diff`; defects are `aldo lint`.
    """
