"""`GET /v1/models` and `GET /v1/models/{id}`."""

from __future__ import annotations

from aldo.api.answered.models import model_object
from aldo.api.call import Call
from aldo.api.faults import RequestFault


async def models(call: Call) -> None:
    """Every entry of the catalog, in the order of its file."""
    gateway = call.gateway
    serving, now = call.serving, gateway.now()
    data = [model_object(entry, serving.conditions[entry.id], now) for entry in serving.catalog.models]
    await call.reply({"object": "list", "data": data})


async def model(call: Call) -> None:
    """One of them."""
    serving = call.serving
    name = str(call.scope["path_params"]["model"])
    entry = serving.catalog.by_id.get(name)
    if entry is None:
        raise RequestFault(f"the catalog has no {name!a}", status=404, code="unknown_model", param="model")
    await call.reply(model_object(entry, serving.conditions[name], call.gateway.now()))
