"""`aldo usage`: sums of usage logs."""

from __future__ import annotations

import sys

import click

from aldo.cli.failure import reported
from aldo.cli.options import json_option
from aldo.errors import UsageError, printable
from aldo.replay.usage import KEYS, Sum, UsageSums, sum_usage, total
from aldo.schema.printed import dumps

_HEADINGS = ("requests", "failed", "tokens in", "cached", "tokens out", "USD")


@click.command("usage")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--by", default="model,class,day", show_default=True, metavar="KEYS", help=f"Group by any of {', '.join(KEYS)}."
)
@json_option
def command(files: tuple[str, ...], by: str, as_json: bool) -> None:
    """Sum usage logs, written by --usage FILE or ALDO_USAGE_LOG: requests, tokens, cost at list price.

    Days are UTC. Large logs are read with DuckDB where the extra `replay` is installed; the sums are the same.

    \b
    aldo usage usage.jsonl
    aldo usage logs/*.jsonl --by day --json
    """
    with reported(as_json=as_json):
        keys = [key.strip() for key in by.split(",") if key.strip()]
        unknown = [key for key in keys if key not in KEYS]
        if unknown:
            raise UsageError(f"cannot group by {unknown[0]!r}; there are {', '.join(KEYS)}")
        sums = sum_usage(files, [key for key in KEYS if key in keys])
        click.echo(_as_json(sums) if as_json else _as_text(sums))
        if not as_json:
            _say_bad_lines(sums)
        if sums.bad_count:
            sys.exit(1)


def _as_json(sums: UsageSums) -> str:
    bad = [{"file": file, "line": line} for file, line in sums.bad]
    groups = [one.to_dict(sums.by) for one in sums.sums]
    whole = total(sums.sums).to_dict(())
    return dumps({"version": 1, "groups": groups, "total": whole, "badLines": sums.bad_count, "bad": bad}, indent=2)


def _as_text(sums: UsageSums) -> str:
    if not sums.sums:
        return "No requests."
    rows = [(*map(printable, one.key), *_cells(one)) for one in sums.sums]
    last = [("total", *[""] * (len(sums.by) - 1), *_cells(total(sums.sums)))] if sums.by else []
    table = [(*sums.by, *_HEADINGS), *rows, *last]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    lines = []
    for number, row in enumerate(table):
        cells = [
            cell.ljust(width) if place < len(sums.by) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        text = "  ".join(cells).rstrip()
        lines.append(click.style(text, bold=True) if number == 0 else text)
    if any(one.unpriced for one in sums.sums):
        lines.append("* some answers came without token counts; the cost is at least this much")
    return "\n".join(lines)


def _cells(one: Sum) -> tuple[str, ...]:
    star = "*" if one.unpriced else ""
    counts = (one.requests, one.failed, one.tokens_in, one.cache_read_tokens, one.tokens_out)
    return (*map(str, counts), one.usd + star)


def _say_bad_lines(sums: UsageSums) -> None:
    for file, line in sums.bad:
        click.echo(f"{printable(file)}:{line}: not a usage row; it does not count", err=True)
    if sums.bad_count > len(sums.bad):
        click.echo(f"... and {sums.bad_count - len(sums.bad)} more", err=True)
