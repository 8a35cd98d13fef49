"""`aldo models list`: what the catalog holds, and which of it can be used now."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING

import click

from aldo.catalog.chosen import chosen_catalog
from aldo.cli.failure import reported
from aldo.cli.options import catalog_option, json_option
from aldo.errors import printable
from aldo.router import compile_catalog
from aldo.router.stages import may_see
from aldo.schema import Catalog, ModelEntry
from aldo.schema.decimals import plain_text
from aldo.schema.printed import dumps
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS

if TYPE_CHECKING:
    from aldo.transport.probes import Availability


@click.command("list")
@catalog_option
@click.option("--class", "capability_class", metavar="CLASS", help="Only this class.")
@click.option("--privacy", type=click.Choice(PRIVACY_TIERS), help="Only models that may see this tier.")
@click.option("--live", is_flag=True, help="Ask the servers, and look for the keys: which can be used now?")
@json_option
def command(
    catalog: str | None,
    overlays: tuple[str, ...],
    capability_class: str | None,
    privacy: str | None,
    live: bool,
    as_json: bool,
) -> None:
    """List the entries, class by class, nearest and cheapest first.

    Tiers: P public, I internal, S sensitive. Context in tokens, prices in USD per million tokens. With --live every
    server is asked for its models, side by side, for a second at most: an entry of this machine can be used when its
    server has the model, or a variable such as MLX_BASE_URL says where that is; one in the cloud when its key is set.
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
        found = _availability(loaded) if live else None
        click.echo(_as_json(loaded, entries, found) if as_json else _as_text(entries, found))


def _availability(catalog: Catalog) -> Mapping[str, Availability]:
    from aldo.transport.probes import availability

    found: Mapping[str, Availability] = availability(catalog)
    return found


def _order(entry: ModelEntry) -> tuple[object, ...]:
    return (entry.capability_class, LOCALITIES.index(entry.locality), entry.cost.usd_per_mtok_in, entry.id)


def _as_json(catalog: Catalog, entries: list[ModelEntry], found: Mapping[str, Availability] | None) -> str:
    rows = [entry.model_dump(mode="json", exclude_none=True) for entry in entries]
    if found is not None:
        rows = [{**row, "availability": found[row["id"]].to_dict()} for row in rows]
    return dumps({"version": 1, "catalogDigest": catalog.digest, "models": rows}, indent=2)


def _as_text(entries: list[ModelEntry], found: Mapping[str, Availability] | None) -> str:
    width = max((len(entry.id) for entry in entries), default=0)
    lines = [click.style(f"  {'':<{width}}  where    tiers  context  USD per Mtok in/out", dim=True)] if entries else []
    for name, group in groupby(entries, key=lambda entry: entry.capability_class):
        lines.append(click.style(name, bold=True))
        lines += [_row(entry, width) + ("" if found is None else _state(found[entry.id])) for entry in group]
    return "\n".join(lines) if lines else "No entry matches."


def _state(found: Availability) -> str:
    mark = click.style("yes", fg="green") if found.available else click.style("no", fg="red")
    return f"  {mark}: {printable(found.detail)}"


def _row(entry: ModelEntry, width: int) -> str:
    tiers = "".join(tier[0].upper() if tier in entry.privacy_allowed else "-" for tier in PRIVACY_TIERS)
    price = f"{plain_text(entry.cost.usd_per_mtok_in)}/{plain_text(entry.cost.usd_per_mtok_out)}"
    off = "" if entry.enabled else "  off"
    return f"  {entry.id:<{width}}  {entry.locality:<7}  {tiers}  {entry.context_tokens:>9}  {price}{off}"
