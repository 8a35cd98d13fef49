"""`POST /v1/embeddings`."""

from __future__ import annotations

from aldo.api.answered.embeddings import embeddings as answer
from aldo.api.asked.base import read_body
from aldo.api.asked.embeddings import EmbeddingBody
from aldo.api.asked.wishes import asked, wishes
from aldo.api.call import Call
from aldo.api.faults import RequestFault
from aldo.schema.entry import ModelEntry
from aldo.transport.estimate import tokens_of_text


def _embeds(entry: ModelEntry) -> bool:
    return entry.capability_class == "embeddings" or "embeddings" in entry.provides


async def embeddings(call: Call) -> None:
    """Embed texts. For routing the longest of them counts."""
    gateway = call.gateway
    call.operation = "embeddings"
    with gateway.admitted(call):
        fields = wishes(call.headers, gateway.settings.privacy)
        body = read_body(EmbeddingBody, await call.body())
        request = body.request()
        serving = call.serving
        call.asked = body.model
        fields |= serving.target(body.model)
        fields |= {"tokensIn": tokens_of_text(max(map(len, request.inputs))), "maxTokensOut": 0}
        wanted = asked(fields)
        decision = serving.decide(wanted, gateway.now())
        entry = serving.catalog.by_id[decision.model]
        if not _embeds(entry):
            chats = [one.id for one in serving.catalog.models if not _embeds(one)]
            if wanted.pin or entry.capability_class == wanted.capability_class:
                said = f"{entry.id} of the class {entry.capability_class} makes no embeddings"
                raise RequestFault(said, param="model")
            decision = serving.decide(wanted.model_copy(update={"exclude": (*wanted.exclude, *chats)}), gateway.now())
        call.routed(decision)
        client = serving.client(decision, call.attempted)
        result = await call.watched(client.embed(request))
        call.model = result.model
        headers = serving.headers(decision, result.model)
        await call.reply(answer(result, body.encoding_format or "float"), headers=headers)
