"""`aldo models`: what the catalog holds."""

from __future__ import annotations

from itertools import groupby

import click

from aldo.cli.failure import reported
from aldo.cli.options import catalog_option, chosen_catalog, json_option
from aldo.router import compile_catalog
from aldo.router.stages import may_see
from aldo.schema import Catalog, ModelEntry
from aldo.schema.decimals import plain_text
from aldo.schema.printed import dumps
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS


@click.group("models")
def command() -> None:
    """What the catalog holds."""


@command.command("list")
@catalog_option
@click.option("--class", "capability_class", metavar="CLASS", help="Only this class.")
@click.option("--privacy", type=click.Choice(PRIVACY_TIERS), help="Only models that may see this tier.")
@json_option
def list_models(
    catalog: str | None, overlays: tuple[str, ...], capability_class: str | None, privacy: str | None, as_json: bool
) -> None:
    """List the entries, class by class, nearest and cheapest first.

    Tiers: P public, I internal, S sensitive. Context in tokens, prices in USD per million tokens.
    """
    with reported(as_json=as_json):
        loaded = chosen_catalog(catalog, overlays)
        table = compile_catalog(loaded).table
        if capability_class is not None:
            table.names.check_class(capability_class)
        entries = [e for e in loaded.models if capability_class in (None, e.capability_class)]
        if privacy is not None:
            entries = [e for e in entries if may_see(table.facts[e.id], privacy, table.sensitive_localities) is None]
        entries.sort(key=_order)
        click.echo(_as_json(loaded, entries) if as_json else _as_text(entries))


def _order(entry: ModelEntry) -> tuple[object, ...]:
    return (entry.capability_class, LOCALITIES.index(entry.locality), entry.cost.usd_per_mtok_in, entry.id)


def _as_json(catalog: Catalog, entries: list[ModelEntry]) -> str:
    rows = [entry.model_dump(mode="json", exclude_none=True) for entry in entries]
    return dumps({"version": 1, "catalogDigest": catalog.digest, "models": rows}, indent=2)


def _as_text(entries: list[ModelEntry]) -> str:
    width = max((len(entry.id) for entry in entries), default=0)
    lines = [click.style(f"  {'':<{width}}  where    tiers  context  USD per Mtok in/out", dim=True)] if entries else []
    for name, group in groupby(entries, key=lambda entry: entry.capability_class):
        lines.append(click.style(name, bold=True))
        lines += [_row(entry, width) for entry in group]
    return "\n".join(lines) if lines else "No entry matches."


def _row(entry: ModelEntry, width: int) -> str:
    tiers = "".join(tier[0].upper() if tier in entry.privacy_allowed else "-" for tier in PRIVACY_TIERS)
    price = f"{plain_text(entry.cost.usd_per_mtok_in)}/{plain_text(entry.cost.usd_per_mtok_out)}"
    off = "" if entry.enabled else "  off"
    return f"  {entry.id:<{width}}  {entry.locality:<7}  {tiers}  {entry.context_tokens:>9}  {price}{off}"
