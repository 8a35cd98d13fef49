"""`aldo prove`: statements about routing, decided for every request."""

from __future__ import annotations

import sys

import click

from aldo.catalog import load_policy
from aldo.catalog.chosen import chosen_catalog, chosen_name
from aldo.cli.failure import reported
from aldo.cli.options import catalog_option, json_option
from aldo.cli.terminal import fold
from aldo.errors import printable
from aldo.router import prove
from aldo.schema import Proof, Redundancy, Statement
from aldo.schema.printed import dumps
from aldo.schema.vocabulary import PRIVACY_TIERS

_COLOURS = {"proven": "green", "refuted": "red", "vacuous": "yellow"}


@click.command("prove")
@click.argument("policy", required=False)
@catalog_option
@click.option(
    "--outages",
    type=click.IntRange(min=0),
    default=0,
    metavar="K",
    help="Also that each class and tier that has a model has one left with any K models down.",
)
@json_option
def command(policy: str | None, catalog: str | None, overlays: tuple[str, ...], outages: int, as_json: bool) -> None:
    """Prove statements about routing for every possible request and every health snapshot.

    POLICY is a file of statements (`kind: RoutingPolicy`); without one the built-in statements are proven and the
    redundancy table is printed: how many models each class and tier has. Exits with 1 when a statement is refuted, or
    when one of POLICY says nothing about this catalog.

    \b
    aldo prove
    aldo prove --outages 1
    aldo prove policy.yaml --catalog models.yaml
    """
    with reported(as_json=as_json):
        proof = prove(
            chosen_catalog(catalog, overlays), None if policy is None else load_policy(policy), outages=outages
        )
        if as_json:
            click.echo(dumps(proof.to_dict(), indent=2))
        else:
            click.echo(_text(proof, outages, chosen_name(catalog, overlays)))
        sys.exit(0 if proof.holds else 1)


def _text(proof: Proof, outages: int, over: str) -> str:
    parts = [_statement(statement) for statement in proof.statements]
    counts = [(verdict, sum(s.verdict == verdict for s in proof.statements)) for verdict in _COLOURS]
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
    summary = f"{told}, for every request and every health snapshot, over {printable(over)}"
    parts.append("\n" + fold(summary, rest="  "))
    if proof.built_in:
        parts.append(f"\n{_table(proof.redundancy, outages)}")
    return "\n".join(parts)


def _statement(statement: Statement) -> str:
    verdict = statement.verdict
    lead = f"{verdict:<8} "
    text = fold(printable(statement.name), first=lead, rest=" " * len(lead))
    lines = [click.style(verdict, fg=_COLOURS[verdict], bold=True) + text.removeprefix(verdict)]
    if statement.detail and verdict != "proven":
        colon = ":" if statement.witness else ""
        lines.append(fold(printable(statement.detail) + colon, first="         ", rest="         "))
    if statement.witness:
        lines.append("         " + dumps(statement.witness.model_dump(mode="json", exclude_defaults=True)))
    return "\n".join(lines)


def _table(rows: tuple[Redundancy, ...], outages: int) -> str:
    """Models by class and tier; below, which losses leave nothing."""
    classes = list(dict.fromkeys(row.capability_class for row in rows))
    width = max([len("models"), *map(len, classes)])
    head = "  ".join(f"{tier:>9}" for tier in PRIVACY_TIERS)
    lines = [click.style(f"{'models':<{width}}  {head}", bold=True)]
    counts = {(row.capability_class, row.privacy): len(row.models) for row in rows}
    for name in classes:
        cells = (counts[name, tier] for tier in PRIVACY_TIERS)
        lines.append(f"{name:<{width}}  " + "  ".join(f"{count or '-':>9}" for count in cells))
    return "\n".join([*lines, "", *_losses(rows, max(1, outages))])


def _losses(rows: tuple[Redundancy, ...], outages: int) -> list[str]:
    """The smallest outages that empty a class and tier, up to that many models."""
    emptied: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        if row.models and row.survives < outages:
            emptied.setdefault(row.models, []).append(f"{row.capability_class} for {row.privacy}")
    if not emptied:
        some = "any one model" if outages == 1 else f"any {outages} models"
        return [f"With {some} down, every class and tier that has a model still has one."]
    return [
        fold(f"without {' and '.join(models)}: nothing for {'; '.join(cells)}", rest="  ")
        for models, cells in sorted(emptied.items(), key=lambda item: (len(item[0]), item))
    ]
