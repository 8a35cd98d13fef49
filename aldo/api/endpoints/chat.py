"""`POST /v1/chat/completions`: route, ask, answer; streamed or whole."""

from __future__ import annotations

from contextlib import aclosing

from aldo.api.answered.chat import Chunks, completion
from aldo.api.answered.errors import event_of
from aldo.api.asked.base import read_body
from aldo.api.asked.chat import ChatBody
from aldo.api.asked.wishes import asked, wishes
from aldo.api.call import Call
from aldo.api.faults import RequestFault
from aldo.api.serving import Serving
from aldo.errors import AldoError
from aldo.schema.decision import Decision
from aldo.transport.chat import ChatRequest
from aldo.transport.client import AsyncModelClient
from aldo.transport.estimate import tokens_of_chat
from aldo.transport.structured import bare


async def chat(call: Call) -> None:
    """Answer a chat."""
    gateway = call.gateway
    call.operation = "chat"
    with gateway.admitted(call):
        fields = wishes(call.headers, gateway.settings.privacy)
        body = read_body(ChatBody, await call.body())
        request = body.chat(gateway.settings.max_tokens_out)
        serving = call.serving
        call.asked = body.model
        fields |= serving.target(body.model)
        fields |= {"tokensIn": tokens_of_chat(request), "maxTokensOut": request.max_tokens}
        decision = serving.decide(asked(fields, request.needs), gateway.now())
        if decision.class_used == "embeddings":
            raise RequestFault("a model of the class embeddings does not chat; name another", param="model")
        call.routed(decision)
        client = serving.client(decision, call.attempted)
        if body.stream:
            await call.watched(_stream(call, serving, client, request, decision, usage=body.wants_usage))
        else:
            await call.watched(_whole(call, serving, client, request, decision))


def _is_json(request: ChatRequest) -> bool:
    """Whether the answer is to be JSON."""
    return request.response_format is not None and request.response_format.get("type") != "text"


async def _whole(
    call: Call, serving: Serving, client: AsyncModelClient, request: ChatRequest, decision: Decision
) -> None:
    result = await client.chat(request)
    call.model = result.model
    # What a client would parse is the bare JSON, without the fence that models like to put around it.
    text = bare(result.text) if _is_json(request) and not result.tool_calls else result.text
    await call.reply(completion(result, text), headers=serving.headers(decision, result.model))


async def _stream(
    call: Call,
    serving: Serving,
    client: AsyncModelClient,
    request: ChatRequest,
    decision: Decision,
    *,
    usage: bool,
) -> None:
    """Nothing is sent before the first piece of an answer is here: until then another model may take over, and an
    error has a status of its own."""
    answering = await client.begin(request)
    call.model = answering.entry.id
    async with aclosing(answering.rest) as rest:
        chunks = Chunks(answering.entry.id, usage=usage, bare=_is_json(request))
        await call.begin_events(serving.headers(decision, answering.entry.id))
        await call.event(chunks.begin() + chunks.of(answering.first))
        try:
            async for event in rest:
                if piece := chunks.of(event):
                    await call.event(piece)
        except AldoError as error:
            call.code = error.code
            await call.event(event_of(error))  # without [DONE]: the answer is not whole
    await call.end_events()
