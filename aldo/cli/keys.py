"""`aldo keys new`: a key for a client of the gateway. The file holds its hash alone."""

from __future__ import annotations

import click

from aldo.cli.failure import reported
from aldo.errors import UsageError


@click.group("keys")
def command() -> None:
    """Make keys for clients of the gateway (`aldo serve --keys FILE`)."""


@command.command("new")
@click.argument("name")
@click.option("--file", "path", required=True, metavar="FILE", help="Where its hash is added; made where missing.")
def new(name: str, path: str) -> None:
    """Make a key, print it once, and add its hash to a file under NAME.

    Who has it sends it as `Authorization: Bearer KEY`; OpenAI's SDKs call it api_key. To take it back, delete its
    line: a running gateway notices within a second.

    \b
    aldo keys new alice --file keys.txt
    """
    with reported():
        from aldo.api.door.keys import add_key

        if path == "":
            raise UsageError("--file is empty; name a file")
        key = add_key(path, name)
        click.echo(key)
        click.echo(f"The key of {name}, shown this once. {path} has its hash.", err=True)
