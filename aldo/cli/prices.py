"""`aldo catalog import`: an overlay from a price list that somebody else keeps."""

from __future__ import annotations

import sys
from typing import Any

import click

from aldo.catalog import parse_text
from aldo.catalog.layers.layered import Layered
from aldo.catalog.layers.overlay import OverlayFile, overlay_of
from aldo.catalog.load import catalog_of
from aldo.catalog.price_lists import litellm, models_dev
from aldo.catalog.price_lists.overlay import Ask, Import, NewEntry, imported, reasons
from aldo.catalog.source import MOST_BYTES
from aldo.catalog.write import create
from aldo.cli.failure import reported
from aldo.cli.layers import chosen_layers
from aldo.cli.options import catalog_option, json_option
from aldo.cli.terminal import fold
from aldo.cli.verify import opened
from aldo.errors import CatalogError, UsageError, printable
from aldo.schema.decimals import plain_text
from aldo.schema.printed import dumps
from aldo.schema.vocabulary import PRIVACY_TIERS

_LISTS: dict[str, tuple[Any, str]] = {
    "litellm": (litellm, "https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json"),
    "models.dev": (models_dev, "https://models.dev"),
}
_SHOWN = 5


@click.command("import")
@click.argument("kind", type=click.Choice(list(_LISTS)))
@click.argument("file", metavar="FILE")
@click.option("--map", "pairs", multiple=True, metavar="OURS=THEIRS", help="This entry from that model of the list.")
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    help="All models of a provider that the catalog has by their name on the wire; OURS=THEIRS where they differ.",
)
@click.option("--class", "capability_class", metavar="CLASS", help="Add models that the catalog lacks, of this class.")
@click.option("--privacy", default="public", metavar="TIER,...", help="Their privacyAllowed. [default: public]")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    envvar="ALDO_TODAY",
    metavar="DATE",
    help="The day on which the list was true. [default: today]",
)
@click.option("-o", "--output", metavar="FILE", help="Write the overlay there; it must not exist. [default: stdout]")
@catalog_option
@json_option
def command(
    kind: str,
    file: str,
    pairs: tuple[str, ...],
    providers: tuple[str, ...],
    capability_class: str | None,
    privacy: str,
    as_of: Any,
    output: str | None,
    catalog: str | None,
    overlays: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make an overlay of a price list: LiteLLM's model_prices_and_context_window.json or the api.json of models.dev.

    FILE is yours: nothing is fetched. Prices are taken exactly or not at all, and one that is not known is left out,
    never 0; what is skipped is said, with the reason. Exits with 1 where something that --map names is skipped.

    \b
    aldo catalog import litellm prices.json --map openai-gpt-6-luna=gpt-6-luna -o prices.yaml
    aldo catalog import models.dev api.json --provider openai --provider google=gemini -o prices.yaml
    """
    with reported(as_json=as_json):
        if not pairs and not providers:
            raise UsageError("say what to take: --map OURS=THEIRS, or --provider NAME for all of a provider")
        reader, home = _LISTS[kind]
        prices = reader.read(_content(file), file)
        layers = chosen_layers(catalog, overlays)
        layers.catalog()
        assert layers.merge is not None
        import datetime

        day = as_of.date() if as_of else datetime.date.today()
        new = None if capability_class is None else NewEntry(capability_class, _tiers(privacy))
        ask = Ask(
            tuple(_pair(text, "--map") for text in pairs),
            tuple(_pair(text, "--provider") if "=" in text else (text, text) for text in providers),
            day.isoformat(),
            home,
            new,
        )
        found = imported(prices, layers.merge.entries, ask)
        text = found.text(f"Prices of {kind}, as of {day.isoformat()}; made by aldo catalog import")
        _check(layers, text, output or "<overlay>")
        _print(found, text, output, as_json)
        sys.exit(1 if any(one.id and one.reason != _ALREADY for one in found.skipped) and pairs else 0)


_ALREADY = "the catalog says so already"


def _content(file: str) -> str:
    with opened(file) as source:
        text: str = source.read(2 * MOST_BYTES + 1)
    if len(text) > 2 * MOST_BYTES:
        raise UsageError(f"{file} is larger than {2 * MOST_BYTES // 2**20} MiB: is it the price list?")
    return text


def _pair(text: str, option: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise UsageError(f"{option} {text!r}: write OURS=THEIRS")
    return ours, theirs


def _tiers(text: str) -> tuple[str, ...]:
    tiers = tuple(tier.strip() for tier in text.split(","))
    wrong = [tier for tier in tiers if tier not in PRIVACY_TIERS]
    if wrong:
        raise UsageError(f"--privacy {wrong[0]!r}: the tiers are {', '.join(PRIVACY_TIERS)}")
    return tiers


def _check(layers: Layered, text: str, name: str) -> None:
    """What comes of the overlay must be a catalog. Raises `CatalogError` where it is none: a field is locked, say."""
    overlays: tuple[OverlayFile, ...] = (*layers.overlays, overlay_of(parse_text(name, text)))
    merged = Layered(catalog_of(parse_text(layers.base.document.path, layers.base.document.text)), overlays)
    made = [f for f in merged.findings if f.path == name and f.severity == "error"]
    if made:
        raise CatalogError(tuple(made))


def _print(found: Import, text: str, output: str | None, as_json: bool) -> None:
    if as_json:
        click.echo(dumps(_as_dict(found), indent=2))
    elif output is None:
        click.echo(text, nl=False)
    if output is not None and found.taken:
        create(output, text)
    if as_json:
        return
    where = f" in {printable(output)}" if output is not None and found.taken else ""
    new = sum(one.is_new for one in found.taken)
    added = f", {new} of them new entries" if new else ""
    click.echo(f"{len(found.taken)} taken{added}{where}; {len(found.skipped)} skipped", err=True)
    for reason, skipped in sorted(reasons(found.skipped).items(), key=lambda item: -len(item[1])):
        names = ", ".join(one.name for one in skipped[:_SHOWN])
        more = f" and {len(skipped) - _SHOWN} more" if len(skipped) > _SHOWN else ""
        click.echo(fold(printable(f"{len(skipped)}: {reason}: {names}{more}"), first="  ", rest="    "), err=True)


def _as_dict(found: Import) -> dict[str, Any]:
    taken = [
        {
            "id": one.id,
            "name": one.listed.name,
            "cost": {name: plain_text(price) for name, price in one.listed.cost.items()},
            "new": one.is_new,
            "notes": list(one.notes),
        }
        for one in found.taken
    ]
    skipped = [{"id": one.id or None, "name": one.name, "reason": one.reason} for one in found.skipped]
    return {"version": 1, "taken": taken, "skipped": skipped, "overlay": found.text("Prices")}
