"""`aldo serve`: the gateway, on this machine or with keys."""

from __future__ import annotations

import os
from typing import Any

import click

from aldo.catalog.chosen import catalog_path, chosen_overlays
from aldo.cli.extras import check_extra
from aldo.cli.failure import reported
from aldo.cli.options import Finite, catalog_option
from aldo.errors import UsageError
from aldo.schema.vocabulary import PRIVACY_TIERS

PORT = 2536
"""`aldo` on the keys of a telephone."""


@click.command("serve")
@catalog_option
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on. Others than this need keys."
)
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 for a free one.")
@click.option(
    "--privacy", type=click.Choice(PRIVACY_TIERS), help="Tier of requests that say none. [default: refuse them]"
)
@click.option("--keys", metavar="FILE", help="Let in only who has a key; see aldo keys new. [default: $ALDO_KEYS]")
@click.option(
    "--allow-host", "hosts", multiple=True, metavar="NAME", help="A name by which a gateway without keys may be called."
)
@click.option(
    "--max-tokens",
    "max_tokens_out",
    type=click.IntRange(min=1),
    default=1024,
    show_default=True,
    help="Longest answer, in tokens, of requests that do not say.",
)
@click.option(
    "--timeout",
    type=Finite(0, 86_400, min_open=True),
    default=300.0,
    show_default=True,
    help="Seconds to wait for the next bytes of a server.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 100),
    default=1,
    show_default=True,
    help="How often to ask the same server again, before the first byte of an answer.",
)
@click.option(
    "--failover/--no-failover", default=True, show_default=True, help="When a model fails, ask the next alternate."
)
@click.option(
    "--probe-every",
    type=Finite(0.1, 86_400),
    default=10.0,
    show_default=True,
    help="Seconds between two looks at the servers, and until one that failed is tried again.",
)
@click.option("--no-probe", is_flag=True, help="Never ask servers what they are.")
@click.option(
    "--max-requests",
    "most_requests",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    help="Chats and embeddings at once, for each worker.",
)
@click.option(
    "--max-body",
    "most_body",
    type=click.IntRange(min=1, max=2**31),
    default=32 * 2**20,
    show_default="32 MiB",
    help="Largest request, in bytes.",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes that share the port."
)
@click.option(
    "--drain",
    type=Finite(0, 86_400),
    default=30.0,
    show_default=True,
    help="Seconds that answers have to end after SIGTERM.",
)
@click.option("--usage", metavar="FILE", help="Append a usage row for every request sent. [default: $ALDO_USAGE_LOG]")
@click.option("--traces", is_flag=True, help="Send OpenTelemetry spans to $OTEL_EXPORTER_OTLP_ENDPOINT (extra otel).")
@click.option("--access-log", is_flag=True, help="A line for every request; never what was asked or answered.")
def command(
    catalog: str | None,
    overlays: tuple[str, ...],
    host: str,
    port: int,
    workers: int,
    drain: float,
    no_probe: bool,
    probe_every: float,
    keys: str | None,
    usage: str | None,
    **options: Any,
) -> None:
    """Serve an OpenAI-compatible API that routes by class, tier and cost.

    A request's `model` is a capability class or a catalog id, its privacy tier the header X-Aldo-Privacy. The catalog
    is read again when its files change and on SIGHUP. Servers are probed, and those that are down are left out.

    \b
    aldo serve --privacy internal
    aldo serve --host 0.0.0.0 --keys keys.txt --usage usage.jsonl
    curl http://127.0.0.1:2536/v1/chat/completions \\
        -H 'content-type: application/json' -H 'x-aldo-privacy: sensitive' \\
        -d '{"model": "local-reasoning", "messages": [{"role": "user", "content": "Hello"}]}'
    """
    with reported():
        check_extra("serve")
        from aldo.api.server import serve
        from aldo.api.settings import Settings

        for name, value in (("--keys", keys), ("--usage", usage), ("--host", host)):
            if value == "":
                raise UsageError(f"{name} is empty")
        settings = Settings(
            catalog=catalog_path(catalog),
            overlays=chosen_overlays(overlays),
            keys=keys or os.environ.get("ALDO_KEYS") or None,
            usage=usage or os.environ.get("ALDO_USAGE_LOG") or None,
            probe_every=None if no_probe else probe_every,
            **options,
        )
        settings.check_reach(host)
        serve(settings, host, port, workers=workers, drain=drain)
