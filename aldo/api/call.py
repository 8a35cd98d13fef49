"""One request of a client: its body within limits, its answer, and what happens when the client hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from aldo.api.faults import RequestFault
from aldo.schema.printed import dumps

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from aldo.api.gateway import Gateway
    from aldo.api.serving import Serving
    from aldo.schema.decision import Decision
    from aldo.schema.usage import UsageRow

Result = TypeVar("Result")
Headers = Iterable[tuple[bytes, bytes]]

_JSON = (b"content-type", b"application/json")
_EVENTS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
)


class HungUp(Exception):
    """The client is gone. Nobody reads an answer any more."""


class Call:
    """One request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, gateway: Gateway) -> None:
        self.scope = scope
        self.gateway = gateway
        self.status: int | None = None
        """Of the answer, once it has begun."""
        self.code: str = ""
        """Of the error that it ended in."""
        self.model: str = ""
        self.tier: str = ""
        self.capability_class: str = ""
        """Who answers, and the tier and class of what was asked, as far as they are known."""
        self.owner = ""
        """The name of the key."""
        self.serving: Serving = gateway.serving
        """The catalog in use when it came: for this request, whatever comes after."""
        self.asked = ""
        """The model or class that was named."""
        self.operation = ""
        """`chat` or `embeddings`, for what goes to servers."""
        self._ended = False
        self._receive, self._send = receive, send

    def routed(self, decision: Decision) -> None:
        """The decision is made."""
        self.tier, self.capability_class = decision.request.privacy, decision.class_used
        self.model = decision.model
        self.gateway.metrics.routed(self.capability_class, self.tier, self.model)

    def attempted(self, row: UsageRow) -> None:
        """A request to a server, made for this one, has ended."""
        self.gateway.attempted(row, self.operation, self.serving)

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Names in lower case, as ASGI has them."""
        found: list[tuple[bytes, bytes]] = self.scope["headers"]
        return found

    def header(self, name: bytes) -> bytes:
        """The first of a name, empty without one."""
        return next((value for key, value in self.headers if key == name), b"")

    @property
    def query(self) -> bytes:
        found: bytes = self.scope.get("query_string", b"")
        return found

    async def body(self) -> bytes:
        """The whole body. Raises `RequestFault` for one that is no JSON, too large, or too slow."""
        settings = self.gateway.settings
        kind = self.header(b"content-type").partition(b";")[0].strip().lower()
        if kind != b"application/json":  # a page of another origin can send all the others without asking
            raise RequestFault("send the body as content-type: application/json", status=415, code="unsupported_media")
        length = self.header(b"content-length")
        if length.isdigit() and int(length) > settings.most_body:
            raise self._too_large()
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(settings.body_seconds):
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise HungUp
                    piece = message.get("body", b"")
                    size += len(piece)
                    if size > settings.most_body:
                        raise self._too_large()
                    pieces.append(piece)
                    if not message.get("more_body"):
                        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        except TimeoutError:
            said = f"the body took over {settings.body_seconds:g} s"
            raise RequestFault(said, status=408, code="request_timeout", headers=_CLOSE) from None

    def _too_large(self) -> RequestFault:
        most = self.gateway.settings.most_body
        return RequestFault(
            f"the body has more than {most} bytes", status=413, code="request_too_large", headers=_CLOSE
        )

    async def watched(self, work: Awaitable[Result]) -> Result:
        """What comes of it. When the client hangs up meanwhile it is cancelled, and `HungUp` raised.

        Once the body has been read, the next that a client can say is that it is gone.
        """
        work_task = asyncio.current_task()
        assert work_task is not None
        gone = False

        async def wait() -> None:
            nonlocal gone
            while (await self._receive())["type"] != "http.disconnect":
                pass
            if not self._ended:  # an answer that has ended is a disconnection, too
                gone = True
                work_task.cancel()

        watcher = asyncio.get_running_loop().create_task(wait())
        try:
            return await work
        except asyncio.CancelledError:
            if gone:
                work_task.uncancel()
                raise HungUp from None
            raise
        finally:
            watcher.cancel()

    async def reply(self, value: Any, status: int = 200, headers: Headers = ()) -> None:
        """An answer of JSON."""
        await self.reply_bytes(dumps(value).encode("utf-8", "replace"), status, (_JSON, *headers))

    async def reply_bytes(self, content: bytes, status: int = 200, headers: Headers = (_JSON,)) -> None:
        """An answer."""
        length = (b"content-length", str(len(content)).encode("ascii"))
        await self._begin(status, (*headers, length))
        await self._write(b"" if self.method == "HEAD" else content, more=False)

    async def begin_events(self, headers: Headers) -> None:
        """The head of a stream of events."""
        await self._begin(200, (*_EVENTS, *headers))

    async def event(self, piece: bytes) -> None:
        """A piece of that stream."""
        await self._write(piece, more=True)

    async def end_events(self) -> None:
        """Its end."""
        await self._write(b"", more=False)

    async def _begin(self, status: int, headers: Headers) -> None:
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def _write(self, piece: bytes, *, more: bool) -> None:
        self._ended = not more
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})


_CLOSE = ((b"connection", b"close"),)
