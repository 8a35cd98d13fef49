"""`aldo models audit`: claims of the catalog against live servers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from aldo.catalog.chosen import chosen_catalog
from aldo.catalog.write import create
from aldo.cli.failure import reported
from aldo.cli.options import Finite, catalog_option, json_option, refuse_existing
from aldo.cli.terminal import fold
from aldo.errors import UnknownNameError, UsageError, printable
from aldo.schema import Catalog, ModelEntry
from aldo.schema.printed import dumps
from aldo.transport import Timeouts
from aldo.transport.audit import Audit, Checked, audit

_COLOURS = {"confirmed": "green", "refuted": "red", "unclear": "yellow"}


@click.command("audit")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@catalog_option
@click.option("--deep", is_flag=True, help="Fill the context where a server does not say how much it serves.")
@click.option(
    "--timeout",
    type=Finite(0, 86_400, min_open=True),
    default=120.0,
    show_default=True,
    help="Seconds to wait for the next bytes of an answer.",
)
@click.option("-o", "--output", metavar="FILE", help="Write the correcting overlay to a new file.")
@click.option("--overlay-only", is_flag=True, help="Print the correcting overlay instead of the table.")
@json_option
def command(
    ids: tuple[str, ...],
    catalog: str | None,
    overlays: tuple[str, ...],
    deep: bool,
    timeout: float,
    output: str | None,
    overlay_only: bool,
    as_json: bool,
) -> None:
    """Ask the servers of the entries whether what they claim is true: each tag of `provides`, and the context.

    Every claim is a small real request that holds nothing of yours. Without ID all enabled entries of this machine and
    your network are asked; one in the cloud is asked only by its id, because that costs money. What is refuted
    can be corrected by the overlay of --output. Exits with 1 where a claim is refuted, 3 where a server that
    was named, or every one, cannot be reached.

    \b
    aldo models audit
    aldo models audit mlx-qwen2.5-7b-instruct-4bit -o corrections.yaml
    """
    with reported(as_json=as_json):
        loaded = chosen_catalog(catalog, overlays)
        entries = _chosen(loaded, ids)
        refuse_existing(output)
        with _progress() as progress:
            result = audit(
                loaded,
                entries,
                deep=deep,
                timeouts=Timeouts(read=timeout, no_content=timeout),
                progress=progress,
            )
        corrects = any(one.correction() for one in result.checked)
        if output is not None and corrects:
            create(output, result.overlay())
        if as_json:
            click.echo(dumps(_as_dict(result, corrects), indent=2))
        elif overlay_only:
            if corrects:
                click.echo(result.overlay(), nl=False)
        else:
            click.echo("\n".join(_lines(result, output if corrects else None)))
        sys.exit(_exit_code(result, named=bool(ids)))


def _chosen(catalog: Catalog, ids: tuple[str, ...]) -> list[ModelEntry]:
    for model in ids:
        if model not in catalog.by_id:
            from difflib import get_close_matches

            raise UnknownNameError("model", model, tuple(get_close_matches(model, catalog.by_id, n=2)))
    if ids:
        return [catalog.by_id[model] for model in dict.fromkeys(ids)]
    entries = [entry for entry in catalog.models if entry.enabled and entry.locality != "cloud"]
    if not entries:
        raise UsageError("no enabled entry is on this machine or your network; name an entry")
    return entries


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """What is asked right now, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        yield lambda text: click.echo(f"\r\x1b[K{printable(text)[:78]}", err=True, nl=False)
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)


def _as_dict(result: Audit, corrects: bool) -> dict[str, object]:
    return {
        "version": 1,
        "entries": [one.to_dict() for one in result.checked],
        "overlay": result.overlay() if corrects else None,
    }


def _lines(result: Audit, output: str | None) -> Iterator[str]:
    for one in result.checked:
        if one.unreachable is None:
            yield click.style(one.entry.id, bold=True) + f"  {printable(one.url)}"
            yield from _claims(one)
    yield from _unreachable(result)
    verdicts = [claim.verdict for one in result.checked for claim in one.claims]
    away = sum(one.unreachable is not None for one in result.checked)
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in _COLOURS)
    yield ""
    yield f"{counts}; {away} of {len(result.checked)} entries could not be reached"
    if output is not None:
        yield f"The corrections are in {printable(output)}"
    elif any(one.correction() for one in result.checked):
        yield "The corrections as an overlay: --overlay-only, or -o FILE"


def _claims(one: Checked) -> Iterator[str]:
    width = max(len(claim.name) for claim in one.claims)
    for claim in one.claims:
        lead = f"  {claim.verdict:<9}  {claim.name:<{width}}  "
        text = fold(printable(claim.evidence), first=lead, rest=" " * 4)
        yield text.replace(claim.verdict, click.style(claim.verdict, fg=_COLOURS[claim.verdict]), 1)


def _unreachable(result: Audit) -> Iterator[str]:
    """Server by server, because one that is down takes all its entries with it."""
    servers: dict[tuple[str, str], list[str]] = {}
    for one in result.checked:
        if one.unreachable is not None:
            servers.setdefault((one.url, one.unreachable), []).append(one.entry.id)
    if servers:
        yield click.style("not reached", bold=True)
    for (url, reason), models in servers.items():
        place = f"{url}: " if url else ""
        yield fold(printable(f"{place}{reason}: {', '.join(models)}"), first="  ", rest="    ")


def _exit_code(result: Audit, *, named: bool) -> int:
    away = [one for one in result.checked if one.unreachable is not None]
    if away and (named or len(away) == len(result.checked)):
        return 3
    return 0 if all(one.holds for one in result.checked) else 1
