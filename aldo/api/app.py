"""The ASGI app: the door, and behind it the endpoints."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from aldo.api.answered.errors import Told, broken, told
from aldo.api.call import Call, HungUp
from aldo.api.endpoints.chat import chat
from aldo.api.endpoints.embeddings import embeddings
from aldo.api.endpoints.models import model, models
from aldo.api.endpoints.openapi import openapi
from aldo.api.endpoints.operation import health, metrics
from aldo.api.endpoints.route import route
from aldo.api.faults import RequestFault
from aldo.api.gateway import Gateway
from aldo.api.reload import Reloading
from aldo.api.settings import Settings
from aldo.api.tracing import Tracing
from aldo.errors import AldoError
from aldo.transport.pool import Connections

Handler = Callable[[Call], Awaitable[None]]
access: logging.Logger = logging.getLogger("aldo.serve.access")
log: logging.Logger = logging.getLogger("aldo.serve")

_FRAME = 4
"""Bytes that a header takes beside its name and its value."""
_CLIENT_GONE = 499
"""What a log says where no answer was taken; nginx' number for it."""


def create_app(
    settings: Settings,
    *,
    environ: Mapping[str, str] | None = None,
    pool: Connections | None = None,
    tracing: Tracing | None = None,
) -> Starlette:
    """The gateway as an ASGI app, for a server such as uvicorn. What `aldo serve` runs.

    `environ` takes the place of the process's environment, `pool` that of the network, `tracing` that of what
    `Settings.traces` would set up. Raises `CatalogError` and
    `UsageError` for files that cannot be used.
    """
    tracing = tracing or (Tracing() if settings.traces else None)
    gateway = Gateway(settings, environ=environ, pool=pool, tracing=tracing)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await gateway.open()
        try:
            async with Reloading(gateway):
                yield
        finally:
            await gateway.close()

    def at(path: str, handler: Handler, method: str, *, key: bool = True) -> Route:
        return Route(path, _Endpoint(gateway, handler, path, method, key=key))

    app = Starlette(
        routes=[
            at("/v1/chat/completions", chat, "POST"),
            at("/v1/embeddings", embeddings, "POST"),
            at("/v1/models", models, "GET"),
            at("/v1/models/{model:path}", model, "GET"),
            at("/v1/route", route, "POST"),
            at("/health", health, "GET", key=False),
            at("/metrics", metrics, "GET"),
            at("/openapi.json", openapi, "GET", key=False),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.router.default = _Endpoint(gateway, _nothing_here, "", "", key=False)
    app.state.gateway = gateway
    return app


async def _nothing_here(call: Call) -> None:
    raise RequestFault(f"there is nothing at {call.path!a}", status=404, code="not_found")


class _Endpoint:
    """The door of one path: who may come in, and what is said when something goes wrong behind it."""

    def __init__(self, gateway: Gateway, handler: Handler, path: str, method: str, *, key: bool) -> None:
        self._gateway = gateway
        self._handler = handler
        self._path = path
        self._methods = {"GET": ("GET", "HEAD"), "POST": ("POST",)}.get(method, ())
        self._needs_key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        gateway = self._gateway
        call = Call(scope, receive, send, gateway)
        began = gateway.clock()
        try:
            if gateway.tracing is not None and call.method == "POST":
                with gateway.tracing.request(call, self._path):
                    await self._answer(call)
            else:
                await self._answer(call)
        finally:
            seconds = gateway.clock() - began
            gateway.metrics.answered(self._path, call.status or _CLIENT_GONE, call.code, seconds)
            if gateway.settings.access_log:
                access.info("%s", _line(call, seconds))

    async def _answer(self, call: Call) -> None:
        """Whatever comes of it, the client is told."""
        gateway = self._gateway
        try:
            self._admit(call)
            await self._handler(call)
        except HungUp:
            call.code, call.status = "client_gone", call.status or _CLIENT_GONE
        except AldoError as error:
            await self._fail(call, told(error, recovery=gateway.recovery, in_body=self._path == "/v1/route"))
        except Exception as error:
            # Not its message: that may hold a part of a prompt.
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error("%s in %s %s\n%s", type(error).__name__, call.method, self._path or "?", frames)
            await self._fail(call, broken())

    def _admit(self, call: Call) -> None:
        gateway = self._gateway
        head = len(call.scope.get("raw_path") or call.path) + len(call.query)
        if head + sum(len(name) + len(value) + _FRAME for name, value in call.headers) > gateway.settings.most_head:
            raise RequestFault("the headers are too large", status=431, code="headers_too_large")
        if not gateway.hosts.admit(call.header(b"host")):
            raise RequestFault(
                "this gateway has no keys, so it must be called by a name of this machine (or by one of --allow-host)",
                status=403,
                code="host_refused",
            )
        if self._needs_key and gateway.keys is not None:
            owner = gateway.keys.owner(call.header(b"authorization"))
            if owner is None:
                raise RequestFault(
                    "a key is missing, or it is not one of ours: Authorization: Bearer KEY",
                    status=401,
                    code="invalid_api_key",
                    headers=((b"www-authenticate", b"Bearer"),),
                )
            call.owner = owner
        if self._methods and call.method not in self._methods:
            allowed = ", ".join(self._methods)
            raise RequestFault(
                f"{self._path} takes {allowed}",
                status=405,
                code="method_not_allowed",
                headers=((b"allow", allowed.encode("ascii")),),
            )

    async def _fail(self, call: Call, answer: Told) -> None:
        call.code = answer.code
        if call.status is None:
            await call.reply_bytes(
                answer.body, answer.status, ((b"content-type", b"application/json"), *answer.headers)
            )


def _line(call: Call, seconds: float) -> str:
    """Nothing of what was asked or answered is in it, and a path cannot break out of its line."""
    path = quote(call.path.split("?")[0], safe="/:@!$&'()*+,;=~-._")
    said = (call.tier, call.capability_class, call.model, call.code, call.owner and f"key={call.owner}")
    return " ".join([call.method, path, str(call.status), f"{seconds * 1000:.1f}ms", *filter(None, said)])
