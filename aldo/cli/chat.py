"""`aldo chat`: route a prompt, bind the model, stream its answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import click

from aldo.cli.failure import reported
from aldo.cli.options import (
    Finite,
    agent_of,
    catalog_option,
    chosen_catalog,
    json_option,
    request_fields,
    request_options,
)
from aldo.errors import UsageError, printable
from aldo.router import route
from aldo.schema import Decision
from aldo.schema.printed import dumps
from aldo.schema.request import request_from_value
from aldo.transport import ChatRequest, ChatResult, Event, Finished, ModelClient, TextDelta, Timeouts, resolve

CHARACTERS_PER_TOKEN = 4
"""The estimate for routing where --tokens-in is not given."""


@click.command("chat")
@click.argument("prompt", required=False)
@catalog_option
@request_options
@click.option("--system", metavar="TEXT", help="System prompt. [default: the agent's]")
@click.option("--temperature", type=Finite(0, 100), default=1.0, show_default=True, help="Sampling temperature.")
@click.option("--top-p", type=Finite(0, 1), default=1.0, show_default=True, help="Nucleus sampling.")
@click.option("--seed", type=int, help="Seed of the sampler, where the server has one.")
@click.option(
    "--timeout",
    type=Finite(0, 86_400, min_open=True),
    default=300.0,
    show_default=True,
    help="Seconds to wait for the next bytes.",
)
@json_option
def command(
    prompt: str | None,
    catalog: str | None,
    overlays: tuple[str, ...],
    system: str | None,
    temperature: float,
    top_p: float,
    seed: int | None,
    timeout: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Route a prompt, bind the chosen model, and stream its answer.

    Without PROMPT, or with `-`, the prompt is read from standard input. For routing the prompt counts
    as characters / 4 tokens unless --tokens-in says otherwise.

    \b
    aldo chat --class local-reasoning --privacy sensitive "Summarise: ..."
    git diff | aldo chat --agent agency/agents/code-reviewer.yaml
    """
    with reported(as_json=as_json):
        text = _prompt(prompt)
        agent = agent_of(options)
        system = system or (agent and agent.system_prompt) or None
        fields = request_fields(options, agent)
        fields.setdefault("tokensIn", -(-len((system or "") + text) // CHARACTERS_PER_TOKEN))
        request = request_from_value(fields)
        loaded = chosen_catalog(catalog, overlays)
        decision = route(loaded, request)
        if decision.class_used == "embeddings":
            raise UsageError("a model of the class embeddings does not chat; choose another --class")
        if request.max_tokens_out < 1:
            raise UsageError("--max-tokens must be at least 1: nothing would be answered")
        chat = ChatRequest(
            messages=_messages(system, text),
            max_tokens=request.max_tokens_out,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
        )
        with resolve(loaded, decision, timeouts=Timeouts(read=timeout, no_content=timeout)) as client:
            if as_json:
                click.echo(_as_json(client.chat(chat), decision, client.entry.provider))
            else:
                _print_stream(client, chat)


def _prompt(given: str | None) -> str:
    if given is not None and given != "-":
        if not given.strip():
            raise UsageError("the prompt is empty")
        return given
    if given is None and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError('say something: aldo chat ... "prompt", or pipe the prompt in')
    if sys.stdin is None:
        raise UsageError("standard input is closed, and there is no prompt")
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    if not text.strip():
        raise UsageError("the prompt on standard input is empty")
    return text


def _messages(system: str | None, text: str) -> tuple[dict[str, str], ...]:
    messages = [{"role": "system", "content": system}] if system else []
    return (*messages, {"role": "user", "content": text})


def _as_json(result: ChatResult, decision: Decision, provider: str) -> str:
    record = decision.record().model_copy(update={"provider": provider})
    return dumps({**result.to_dict(), "decision": record.to_dict()})


def _print_stream(client: ModelClient, chat: ChatRequest) -> None:
    """The text as it comes; on a terminal a line about it afterwards."""
    result: ChatResult | None = None
    printed = False
    try:
        for text, finished in _texts(client.stream(chat)):
            click.echo(text, nl=False)
            sys.stdout.flush()
            printed, result = True, finished
    finally:
        if printed:
            click.echo()  # the shell's prompt begins a line of its own, also after a failure
    if result is not None and sys.stderr.isatty():
        click.echo(click.style(_summary(result), dim=True), err=True)


def _texts(events: Iterator[Event]) -> Iterator[tuple[str, ChatResult | None]]:
    for event in events:
        if isinstance(event, TextDelta):
            yield _terminal_safe(event.text), None
        elif isinstance(event, Finished):
            calls = "".join(f"\n[tool call {c.name}({json.dumps(c.arguments)})]" for c in event.result.tool_calls)
            yield calls, event.result


def _terminal_safe(text: str) -> str:
    """A model's text may not steer the terminal; line ends and tabs stay."""
    if not sys.stdout.isatty():
        return text
    return "".join(c if c in "\n\t" else printable(c) for c in text)


def _summary(result: ChatResult) -> str:
    tokens = result.usage.tokens_out
    parts = [result.model, f"{tokens} tokens" if tokens is not None else "", result.finish_reason]
    if tokens and result.latency_ms and result.ttft_ms is not None and result.latency_ms > result.ttft_ms:
        parts.append(f"{tokens / (result.latency_ms - result.ttft_ms) * 1000:.0f} tokens/s")
    if result.ttft_ms is not None:
        parts.append(f"first after {result.ttft_ms:.0f} ms")
    if result.usd is not None:
        parts.append(f"{result.usd} USD")
    return " · ".join(part for part in parts if part)
