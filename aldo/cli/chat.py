"""`aldo chat`: route a prompt, bind the model, stream its answer."""

from __future__ import annotations

import base64
import mimetypes
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from aldo.catalog.chosen import chosen_catalog
from aldo.cli.asking import (
    client_for,
    file_bytes,
    json_file,
    manner_of,
    manner_options,
    piped_text,
    tools_of,
)
from aldo.cli.failure import reported
from aldo.cli.options import Finite, agent_of, catalog_option, json_option, request_fields, request_options
from aldo.cli.spinner import spinner
from aldo.errors import UsageError, printable
from aldo.router import route
from aldo.schema import Decision
from aldo.schema.decimals import plain_text
from aldo.schema.printed import dumps
from aldo.schema.request import request_from_value
from aldo.transport import (
    ChatRequest,
    ChatResult,
    Event,
    Finished,
    ModelClient,
    RefusalDelta,
    TextDelta,
    json_schema_format,
)
from aldo.transport.estimate import TOKENS_PER_IMAGE, tokens_of_text
from aldo.transport.structured import wanted


@click.command("chat")
@click.argument("words", nargs=-1, metavar="[PROMPT]")
@catalog_option
@request_options
@click.option("--system", metavar="TEXT", help="System prompt. [default: the agent's]")
@click.option("--file", "files", multiple=True, metavar="FILE", help="A text or an image that goes with the prompt.")
@click.option("--tool", "tools", multiple=True, metavar="FILE", help="JSON of a tool, or a list, in OpenAI's form.")
@click.option(
    "--schema", metavar="FILE", help="JSON Schema of the answer. It is checked here, whatever the server did."
)
@click.option(
    "--repair", type=click.IntRange(0, 10), default=0, help="How often to send back an answer that fails --schema."
)
@click.option("--temperature", type=Finite(0, 100), default=1.0, show_default=True, help="Sampling temperature.")
@click.option("--top-p", type=Finite(0, 1), default=1.0, show_default=True, help="Nucleus sampling.")
@click.option("--seed", type=int, help="Seed of the sampler, where the server has one.")
@manner_options
@json_option
def command(
    words: tuple[str, ...],
    catalog: str | None,
    overlays: tuple[str, ...],
    system: str | None,
    files: tuple[str, ...],
    tools: tuple[str, ...],
    schema: str | None,
    repair: int,
    temperature: float,
    top_p: float,
    seed: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Route a prompt, bind the chosen model, and stream its answer.

    With `-`, or without PROMPT and --file, the prompt is read from standard input. For routing the prompt
    counts as characters / 4 tokens unless --tokens-in says otherwise. With --tool the model must provide tool-use, with
    an image vision.

    \b
    aldo chat --class local-reasoning --privacy sensitive "Summarise: ..."
    git diff | aldo chat --agent agency/agents/code-reviewer.yaml
    aldo chat --class fast-draft --privacy internal --file note.txt "Who pays?"
    """
    with reported(as_json=as_json):
        manner = manner_of(options)
        agent = agent_of(options)
        system = system or (agent and agent.system_prompt) or None
        text, images = _prompt(" ".join(words) if words else None, files)
        fields = request_fields(options, agent)
        estimate = tokens_of_text(len((system or "") + text)) + len(images) * TOKENS_PER_IMAGE
        fields.setdefault("tokensIn", estimate)
        chat = ChatRequest(
            messages=_messages(system, text, images),
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            tools=tools_of(tools),
            response_format=_format(schema, repair),
            repairs=repair,
        )
        fields["requires"] = list(dict.fromkeys((*fields.get("requires", ()), *chat.needs)))
        request = request_from_value(fields)
        if request.max_tokens_out < 1:
            raise UsageError("--max-tokens must be at least 1: nothing would be answered")
        chat = replace(chat, max_tokens=request.max_tokens_out)
        loaded = chosen_catalog(catalog, overlays)
        decision = route(loaded, request)
        if decision.class_used == "embeddings":
            raise UsageError("a model of the class embeddings does not chat; choose another --class")
        with client_for(loaded, decision, manner) as client:
            if as_json:
                click.echo(_as_json(_whole(client, chat), decision, client.entry.provider))
            elif schema is not None:
                _print_whole(client, chat)
            else:
                _print_stream(client, chat)


def _format(schema: str | None, repair: int) -> Mapping[str, Any] | None:
    """The form of the answer that a schema's file asks for."""
    if schema is None:
        if repair:
            raise UsageError("--repair is for answers that fail --schema")
        return None
    form = json_schema_format(json_file(schema))
    try:
        wanted(form)
    except UsageError as error:
        raise UsageError(f"{schema}: {error}") from None
    return form


def _whole(client: ModelClient, chat: ChatRequest) -> ChatResult:
    """The answer, streamed for the time to its first token; one that may be sent back to be mended is not."""
    if chat.repairs:
        return client.chat(chat)
    *_, last = client.stream(chat)
    assert isinstance(last, Finished)
    return last.result


def _prompt(given: str | None, files: tuple[str, ...]) -> tuple[str, list[str]]:
    """The text, and the images as data URLs. Files come after the prompt, each under its name."""
    parts: list[str] = []
    images: list[str] = []
    if given is not None and given != "-":
        parts.append(given)
    elif given == "-" or not files:
        if given is None and sys.stdin is not None and sys.stdin.isatty():
            raise UsageError('say something: aldo chat ... "prompt", or pipe the prompt in')
        parts.append(piped_text("prompt"))
    if not files and not parts[0].strip():
        raise UsageError("the prompt is empty" if given not in (None, "-") else "the prompt on standard input is empty")
    for file in files:
        kind = mimetypes.guess_type(file)[0] or ""
        data = file_bytes(file)
        if kind.startswith("image/"):
            images.append(f"data:{kind};base64,{base64.b64encode(data).decode()}")
        elif b"\0" in data:
            raise UsageError(f"{file} is neither a text nor an image")
        else:
            parts.append(
                f"{Path(file).name}:\n{data.decode('utf-8', 'replace')}" if parts else data.decode("utf-8", "replace")
            )
    return "\n\n".join(part for part in parts if part.strip()), images


def _messages(system: str | None, text: str, images: list[str]) -> tuple[dict[str, Any], ...]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    content: Any = text
    if images:
        content = [{"type": "text", "text": text}] if text else []
        content += [{"type": "image_url", "image_url": {"url": image}} for image in images]
    return (*messages, {"role": "user", "content": content})


def _as_json(result: ChatResult, decision: Decision, provider: str) -> str:
    record = decision.record().model_copy(update={"provider": provider})
    return dumps({**result.to_dict(), "decision": record.to_dict()})


def _print_whole(client: ModelClient, chat: ChatRequest) -> None:
    """The JSON that the schema asked for."""
    with spinner(client.entry.id):
        result = _whole(client, chat)
    if result.tool_calls:
        click.echo(_calls(result))
    else:
        click.echo(dumps(result.parsed, indent=2))
    _say_summary(result)


def _print_stream(client: ModelClient, chat: ChatRequest) -> None:
    """The text as it comes; on a terminal a line about it afterwards."""
    result: ChatResult | None = None
    printed = False
    try:
        with spinner(client.entry.id) as stop:
            for text, finished in _texts(client.stream(chat)):
                stop()
                click.echo(text, nl=False)
                sys.stdout.flush()
                printed, result = True, finished
    finally:
        if printed:
            click.echo()  # the shell's prompt begins a line of its own, also after a failure
    if result is not None:
        if result.finish_reason == "length" and not result.text and not result.tool_calls:
            click.echo("The answer was cut at --max-tokens before it began.", err=True)
        _say_summary(result)


def _texts(events: Iterator[Event]) -> Iterator[tuple[str, ChatResult | None]]:
    for event in events:
        if isinstance(event, (TextDelta, RefusalDelta)):
            yield _terminal_safe(event.text), None
        elif isinstance(event, Finished):
            calls = _calls(event.result)
            yield ("\n" if calls and event.result.text else "") + calls, event.result


def _calls(result: ChatResult) -> str:
    return "\n".join(f"[tool call {printable(c.name)}({dumps(c.arguments)})]" for c in result.tool_calls)


def _terminal_safe(text: str) -> str:
    """A model's text may not steer the terminal; line ends and tabs stay."""
    if not sys.stdout.isatty():
        return text
    return "".join(c if c in "\n\t" else printable(c) for c in text)


def _say_summary(result: ChatResult) -> None:
    if sys.stderr.isatty():
        click.echo(click.style(_summary(result), dim=True), err=True)


def _summary(result: ChatResult) -> str:
    tokens = result.usage.tokens_out
    parts = [result.model, f"{tokens} tokens" if tokens is not None else "", result.finish_reason]
    if tokens and result.latency_ms and result.ttft_ms is not None and result.latency_ms > result.ttft_ms:
        parts.append(f"{tokens / (result.latency_ms - result.ttft_ms) * 1000:.0f} tokens/s")
    if result.ttft_ms is not None:
        parts.append(f"first after {result.ttft_ms:.0f} ms")
    paid = [row.usd for row in result.attempts if row.usd is not None]
    if paid:
        parts.append(f"{plain_text(sum(map(Decimal, paid), Decimal(0)))} USD")
    if result.ignored:
        parts.append(f"{', '.join(result.ignored)} ignored")
    if len(result.attempts) > 1:
        parts.append(f"after {', '.join(f'{row.model}: {row.outcome}' for row in result.attempts[:-1])}")
    return " · ".join(part for part in parts if part)
