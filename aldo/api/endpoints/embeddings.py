"""`POST /v1/embeddings`."""

from __future__ import annotations

from aldo.api.answered.embeddings import embeddings as answer
from aldo.api.asked.base import read_body
from aldo.api.asked.embeddings import EmbeddingBody
from aldo.api.asked.wishes import asked, wishes
from aldo.api.call import Call
from aldo.api.faults import RequestFault
from aldo.transport.estimate import tokens_of_text


async def embeddings(call: Call) -> None:
    """Embed texts. For routing the longest of them counts."""
    gateway = call.gateway
    call.operation = "embeddings"
    with gateway.admitted(call):
        fields = wishes(call.headers, gateway.settings.privacy)
        body = read_body(EmbeddingBody, await call.body())
        request = body.request()
        serving = gateway.serving
        call.asked = body.model
        fields |= serving.target(body.model)
        fields |= {"tokensIn": tokens_of_text(max(map(len, request.inputs))), "maxTokensOut": 0}
        decision = serving.decide(asked(fields), gateway.now())
        entry = serving.catalog.by_id[decision.model]
        if entry.capability_class != "embeddings" and "embeddings" not in entry.provides:
            raise RequestFault(f"{entry.id} of the class {entry.capability_class} makes no embeddings", param="model")
        call.routed(decision)
        client = serving.client(decision, call.attempted)
        result = await call.watched(client.embed(request))
        call.model = result.model
        headers = serving.headers(decision, result.model)
        await call.reply(answer(result, body.encoding_format or "float"), headers=headers)
