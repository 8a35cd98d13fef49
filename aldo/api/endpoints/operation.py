"""`GET /health` and `GET /metrics`: for those who keep the gateway running."""

from __future__ import annotations

from datetime import UTC, datetime

from aldo.api.call import Call
from aldo.api.metrics import CONTENT_TYPE


async def health(call: Call) -> None:
    """That this process serves, and how much of its catalog can be used. Needs no key, and names no model.

    The status is 200 also where every model is down: the gateway itself is well, and to restart it would help nobody.
    """
    gateway = call.gateway
    serving, now = call.serving, gateway.now()
    enabled = [entry.id for entry in serving.catalog.models if entry.enabled]
    down = sum(serving.conditions[model].state(now) == "down" for model in enabled)
    await call.reply(
        {
            "status": "ok",
            "models": len(enabled),
            "up": len(enabled) - down,
            "routingDigest": serving.routing_digest,
            "loaded": datetime.fromtimestamp(gateway.loaded, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "catalogFile": "failing" if gateway.failing else "ok",
        }
    )


async def metrics(call: Call) -> None:
    """Counters as Prometheus reads them."""
    call.gateway.metrics.in_flight.set(len(call.gateway.calls))
    await call.reply_bytes(call.gateway.metrics.text(), headers=((b"content-type", CONTENT_TYPE),))
