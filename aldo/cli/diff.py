"""`aldo diff`: which requests two catalogs route differently."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple

import click

from aldo.catalog.revision import load_catalog_at
from aldo.cli.changes import beside, is_of_the_price, is_outward
from aldo.cli.changes_report import Told, markdown, text
from aldo.cli.failure import reported
from aldo.cli.options import side_options, sides
from aldo.errors import UsageError
from aldo.router import Diff, diff
from aldo.schema import Catalog
from aldo.schema.difference import CHANGE_KINDS
from aldo.schema.printed import dumps

_GROUPS: dict[str, tuple[str, ...]] = {
    "privacy": ("privacy-widened", "privacy-narrowed"),
    "cost": ("dearer",),
    "redundancy": ("redundancy-lost",),
    "outward": ("outward",),
    "any": CHANGE_KINDS,
    **{kind: (kind,) for kind in CHANGE_KINDS},
}


class _Gate(NamedTuple):
    """What fails the run: kinds of changes; and, where only rises above a bound do, that bound."""

    kinds: frozenset[str] = frozenset()
    dearer_by_percent: Decimal = Decimal(0)


@click.command("diff")
@click.argument("base")
@click.argument("head")
@side_options
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), help="[default: text]")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--fail-on",
    "fail_on",
    multiple=True,
    metavar="KIND,...",
    help="Exit with 1 on such a change: privacy, unroutable, outward (to a farther place), cost, cost>5%, redundancy, "
    "any, or a kind by its name.",
)
@click.option("--all", "all_lines", is_flag=True, help="Every line, and not the largest ones only.")
def command(
    base: str,
    head: str,
    overlays: tuple[str, ...],
    base_overlays: tuple[str, ...],
    head_overlays: tuple[str, ...],
    form: str | None,
    as_json: bool,
    fail_on: tuple[str, ...],
    all_lines: bool,
) -> None:
    """Which requests are routed differently by HEAD than by BASE, decided for every possible request.

    BASE and HEAD are catalog files, or revisions of one such as `main:models.yaml`. Each change has a request that
    shows it when given to `aldo route --request -`. What would an overlay change? Name one catalog twice.

    \b
    aldo diff main:models.yaml models.yaml
    aldo diff --fail-on 'privacy,unroutable,cost>5%' old.yaml new.yaml
    aldo diff --format markdown main:models.yaml models.yaml
    aldo diff models.yaml models.yaml --head-overlay mine.yaml
    """
    with reported(as_json=as_json or form == "json"):
        if as_json and form not in (None, "json"):
            raise UsageError(f"--json and --format {form} are two formats; choose one")
        gate = _gate(fail_on)
        base_layers, head_layers = sides(overlays, base_overlays, head_overlays)
        catalogs = load_catalog_at(base, base_layers), load_catalog_at(head, head_layers)
        found = diff(*catalogs)
        failing = _failing(found, gate, *catalogs)
        if as_json or form == "json":
            click.echo(dumps(found.to_dict(), indent=2))
        else:
            told = Told(found, beside(*catalogs), failing, all_lines)
            click.echo(markdown(told) if form == "markdown" else text(told))
        if failing:
            click.echo(f"failed on {', '.join(failing)}", err=True)
        sys.exit(1 if failing else 0)


def _failing(found: Diff, gate: _Gate, base: Catalog, head: Catalog) -> list[str]:
    """What the run fails on: kinds that are there, or that nothing can be said to be absent."""
    told: set[str] = {change.kind for change in found.changes if not is_of_the_price(change)}
    if any(is_outward(change) for change in found.changes if not is_of_the_price(change)):
        told.add("outward")
    if gate.dearer_by_percent and "dearer" in told & gate.kinds:
        above = diff(base, head, dearer_by_percent=gate.dearer_by_percent)
        if all(change.kind != "dearer" for change in above.changes) and above.complete:
            told.remove("dearer")
    failing = [kind for kind in (*CHANGE_KINDS, "outward") if kind in gate.kinds & told]
    return failing or (["a comparison that is not complete"] if gate.kinds and not found.complete else [])


def _gate(given: tuple[str, ...]) -> _Gate:
    kinds: set[str] = set()
    percents: list[Decimal] = []
    for word in (word.strip() for value in given for word in value.split(",")):
        name, above, amount = word.partition(">")
        name = name.strip()
        if name not in _GROUPS:
            near = get_close_matches(name.lower(), _GROUPS, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; it takes {', '.join(_GROUPS)}"
            raise UsageError(f"--fail-on {word!r} is no kind of change{hint}")
        if above:
            percents.append(_percent(word, name, amount))
        elif "dearer" in _GROUPS[name]:
            percents.append(Decimal(0))
        kinds |= set(_GROUPS[name])
    return _Gate(frozenset(kinds), min(percents, default=Decimal(0)))


def _percent(word: str, name: str, amount: str) -> Decimal:
    if name not in ("cost", "dearer"):
        raise UsageError(f"--fail-on {word!r}: only cost takes a bound, as in cost>5%")
    number = re.fullmatch(r"\s*([0-9]{1,6}(\.[0-9]{1,6})?)\s*%?\s*", amount)
    if not number:
        raise UsageError(f"--fail-on {word!r}: the bound is a number of percent, as in cost>5% or cost>0.5%")
    return Decimal(number[1])
