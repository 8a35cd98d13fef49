"""`POST /v1/route`: what would be decided, and why. Nothing is sent to any server."""

from __future__ import annotations

from urllib.parse import parse_qs

from aldo.api.asked.base import read_json
from aldo.api.asked.wishes import PRIVACY, asked, titled, wishes
from aldo.api.call import Call
from aldo.api.faults import RequestFault


async def route(call: Call) -> None:
    """The decision for a routing request (`aldo schema request`). Headers say what the body leaves out.

    With `?explain=true` it holds the whole trace. `health` tells of every model that was left out as down.
    """
    gateway = call.gateway
    data = await call.body()
    fields = read_json(data)
    if not isinstance(fields, dict):
        raise RequestFault('the body is a JSON object such as {"capabilityClass": "fast-draft"}')
    said = call.header(PRIVACY).decode("latin-1").strip()
    if "privacy" in fields and said and fields["privacy"] != said:
        raise RequestFault("the body names another tier than the header", param=titled(PRIVACY))
    explained = _explained(call.query)
    default = "public" if "privacy" in fields else gateway.settings.privacy  # what the body says comes below
    said_in_body = tuple(fields)
    fields = {**wishes(call.headers, default), **fields}
    serving, now = call.serving, gateway.now()
    decision = serving.decide(asked(fields, in_body=said_in_body), now)
    call.routed(decision)
    provider = serving.catalog.by_id[decision.model].provider
    found = decision.record().model_copy(update={"provider": provider}).to_dict()
    if explained:
        found["trace"] = decision.explain().to_dict()
    down = serving.conditions.down(decision.request.classes, now)
    found["health"] = serving.conditions.reasons(down, now)
    await call.reply(found, headers=serving.headers(decision, decision.model))


def _explained(query: bytes) -> bool:
    """Whether the trace is wanted."""
    words = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("explain", ["false"])
    if len(words) != 1 or words[0] not in ("true", "false"):
        raise RequestFault("explain must be true or false", param="explain")
    return words[0] == "true"
