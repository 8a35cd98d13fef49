"""`aldo models discover`: an overlay of the model servers on this machine."""

from __future__ import annotations

import click

from aldo.catalog.chosen import chosen_catalog
from aldo.catalog.write import create
from aldo.cli.failure import reported
from aldo.cli.options import catalog_option, json_option, refuse_existing
from aldo.cli.spinner import spinner
from aldo.errors import printable
from aldo.schema.printed import dumps
from aldo.transport.probes import Discovery, discover


@click.command("discover")
@catalog_option
@click.option("-o", "--output", metavar="FILE", help="Write the overlay to a new file.")
@json_option
def command(catalog: str | None, overlays: tuple[str, ...], output: str | None, as_json: bool) -> None:
    """Look for Ollama, LM Studio, vLLM, llama.cpp and mlx_lm.server, and print what they serve as an overlay.

    All are asked side by side, for a second at most, at their usual ports or where OLLAMA_BASE_URL,
    LM_STUDIO_BASE_URL, VLLM_BASE_URL, LLAMACPP_BASE_URL and MLX_BASE_URL say; only this machine is asked.
    ALDO_LOCAL_DISCOVERY names the runtimes to look for (ollama,lmstudio,vllm,llamacpp,mlx), or none. A model whose id
    the catalog has already is left out.

    \b
    aldo models discover > found.yaml
    aldo lint models.yaml --overlay found.yaml
    """
    with reported(as_json=as_json):
        refuse_existing(output)
        loaded = chosen_catalog(catalog, overlays)
        with spinner("asking"):
            found = discover(loaded)
        if output is not None and found.parts:
            create(output, found.overlay())
        if as_json:
            click.echo(dumps(_as_dict(found), indent=2))
            return
        if output is None:  # without entries where nothing was found: it lints and loads all the same
            click.echo(found.overlay(), nl=False)
        _tell(found, output)


def _as_dict(found: Discovery) -> dict[str, object]:
    return {
        "version": 1,
        "runtimes": [one.to_dict() for one in found.found],
        "entries": list(found.entries),
        "known": list(found.known),
        "overlay": found.overlay() if found.parts else None,
    }


def _tell(found: Discovery, output: str | None) -> None:
    """What was asked, on standard error: standard output is the overlay's."""
    for one in found.found:
        count = len(one.models)
        models = f"{count} model{'s' if count != 1 else ''}" if one.state == "up" else one.detail
        click.echo(f"{one.runtime:<9} {printable(one.url)}  {printable(models)}", err=True)
    if not found.found:
        click.echo("ALDO_LOCAL_DISCOVERY=none: nothing was asked", err=True)
    if found.known:
        click.echo(f"in the catalog already: {', '.join(found.known)}", err=True)
    where = ""
    if output is not None:
        where = f" in {printable(output)}" if found.parts else f"; {printable(output)} was not written"
    click.echo(f"{len(found.parts)} new{where}", err=True)
