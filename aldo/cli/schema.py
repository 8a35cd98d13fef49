"""`aldo schema`: the JSON Schemas."""

from __future__ import annotations

import click

from aldo.schema.printed import dumps
from aldo.schema.published import TYPES, json_schema


@click.command("schema")
@click.argument("name", type=click.Choice(list(TYPES)), metavar="NAME")
def command(name: str) -> None:
    """Print the JSON Schema (2020-12) of a file or message.

    NAME is catalog, overlay, request, decision, agent, suite, policy, routes (the examples of aldo test) or usage.

    Editors with a YAML language server complete and check a catalog whose first line is
    `# yaml-language-server: $schema=catalog.schema.json`.

    \b
    aldo schema catalog > catalog.schema.json
    """
    click.echo(dumps(json_schema(name), indent=2))
