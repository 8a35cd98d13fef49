"""`aldo embed`: route texts to a model of the class embeddings and print their vectors."""

from __future__ import annotations

import sys
from typing import Any

import click

from aldo.catalog.chosen import chosen_catalog
from aldo.cli.asking import client_for, file_bytes, manner_of, manner_options, piped_text
from aldo.cli.failure import reported
from aldo.cli.options import agent_of, catalog_option, json_option, request_fields, request_options
from aldo.cli.spinner import spinner
from aldo.errors import UsageError
from aldo.router import route
from aldo.schema.printed import dumps
from aldo.schema.request import request_from_value
from aldo.transport import EmbeddingRequest
from aldo.transport.estimate import tokens_of_text


@click.command("embed")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@catalog_option
@request_options
@click.option("--file", "files", multiple=True, metavar="FILE", help="A file whose lines are texts.")
@click.option("--dimensions", type=click.IntRange(min=1), help="Shorter vectors, where the model can.")
@click.option("--base64", "packed", is_flag=True, help="Let the numbers travel as base64, where the server can.")
@click.option("--batch", type=click.IntRange(min=1), default=64, show_default=True, help="Texts in one request.")
@manner_options
@json_option
def command(
    texts: tuple[str, ...],
    catalog: str | None,
    overlays: tuple[str, ...],
    files: tuple[str, ...],
    dimensions: int | None,
    packed: bool,
    batch: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Route texts to a model of the class embeddings; print a vector a line, each a JSON list.

    Without TEXT and --file, every line of standard input is a text. For routing the longest one counts, as
    characters / 4 tokens, unless --tokens-in says otherwise.

    \b
    aldo embed --privacy sensitive "a text" "another one"
    aldo embed --privacy internal --file questions.txt > vectors.jsonl
    """
    with reported(as_json=as_json):
        manner = manner_of(options)
        inputs = _inputs(texts, files)
        if options["capability_class"] is None and options["agent"] is None:
            options["capability_class"] = "embeddings"
        fields = {"maxTokensOut": 0, **request_fields(options, agent_of(options))}
        fields.setdefault("tokensIn", tokens_of_text(max(map(len, inputs))))
        loaded = chosen_catalog(catalog, overlays)
        decision = route(loaded, request_from_value(fields))
        if decision.class_used != "embeddings" and "embeddings" not in loaded.by_id[decision.model].provides:
            raise UsageError(f"{decision.model} of the class {decision.class_used} makes no embeddings")
        request = EmbeddingRequest(inputs, dimensions, "base64" if packed else "float", batch)
        with client_for(loaded, decision, manner) as client, spinner(client.entry.id):
            result = client.embed(request)
        if as_json:
            record = decision.record().model_copy(update={"provider": client.entry.provider})
            click.echo(dumps({**result.to_dict(), "decision": record.to_dict()}))
            return
        for vector in result.vectors:
            click.echo(dumps(list(vector)))
        if sys.stderr.isatty():
            parts = [result.model, f"{len(result.vectors)} x {result.dimensions}"]
            parts += [f"{result.usage.tokens_in} tokens"] if result.usage.tokens_in is not None else []
            parts += [f"{result.latency_ms:.0f} ms"] if result.latency_ms is not None else []
            parts += [f"{result.usd} USD"] if result.usd is not None else []
            click.echo(click.style(" · ".join(parts), dim=True), err=True)


def _inputs(texts: tuple[str, ...], files: tuple[str, ...]) -> tuple[str, ...]:
    inputs = list(texts)
    for file in files:
        inputs += _lines(file_bytes(file).decode("utf-8", "replace"))
    if not texts and not files:
        if sys.stdin is not None and sys.stdin.isatty():
            raise UsageError('name a text: aldo embed ... "text", or pipe lines in')
        inputs = _lines(piped_text("text"))
    if not any(text.strip() for text in inputs):
        raise UsageError("there is nothing to embed")
    if not all(text.strip() for text in inputs):
        raise UsageError("one of the texts is empty, and has no embedding")
    return tuple(inputs)


def _lines(text: str) -> list[str]:
    """Lines as editors count them; a blank one is no text."""
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
