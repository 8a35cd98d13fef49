"""The network's place taken: every request is kept, and answered by a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import httpx

from aldo.transport.fake.script import Answer, Asked, Fails, Says, Script, Vectors
from aldo.transport.fake.wire import embeddings, failed, json_answer, streamed, whole
from aldo.transport.pool import MODEL, AsyncPool, Pool


class FakeModels(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Plays every server, for `resolve(..., http=models)` and `resolve_async`; threads may share it.

    `script` is for all entries, or a mapping from catalog ids to a script for each; an entry that is not in it, or
    whose answers are used up, raises `AssertionError` in the test. A request for vectors that is scripted by a plain
    text gets short vectors that depend on its texts alone.

    What the egress guard admits is not tried: nothing is connected to. That an entry may see a request's tier is.
    """

    def __init__(self, script: Script | Mapping[str, Script]) -> None:
        self._scripts = dict(script) if isinstance(script, Mapping) else None
        self._script: Script = "" if isinstance(script, Mapping) else script
        self._given: dict[str, int] = {}
        self._lock = threading.Lock()
        self.asked: list[Asked] = []
        """Every request, in order."""

    @contextmanager
    def installed(self) -> Generator[FakeModels, None, None]:
        """Inside, every client without an `http` of its own asks these models, for code that calls `resolve` itself."""
        before = Pool.network, AsyncPool.network
        Pool.network, AsyncPool.network = self, self
        try:
            yield self
        finally:
            Pool.network, AsyncPool.network = before

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """For `resolve`."""
        return self._answer(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """For `resolve_async`."""
        return self._answer(request, await request.aread())

    def _answer(self, request: httpx.Request, content: bytes) -> httpx.Response:
        asked = Asked(
            model=request.extensions.get(MODEL, ""),
            kind="embeddings" if request.url.path.endswith("/embeddings") else "chat",
            url=str(request.url),
            headers=dict(request.headers),
            body=json.loads(content),
        )
        with self._lock:
            self.asked.append(asked)
            answer = self._next(asked)
        if isinstance(answer, Fails):
            return failed(answer, asked, request)
        if asked.kind == "embeddings":
            return json_answer(200, embeddings(asked, answer))
        if isinstance(answer, Vectors):
            raise AssertionError(f"{asked.model} is asked for a chat, and its script has vectors")
        says = Says(answer) if isinstance(answer, str) else answer
        return streamed(asked, says) if asked.body.get("stream") else json_answer(200, whole(asked, says))

    def _next(self, asked: Asked) -> Answer:
        if self._scripts is not None and asked.model not in self._scripts:
            raise AssertionError(
                f"{asked.model} was asked, and FakeModels has no script for it: {sorted(self._scripts)}"
            )
        script = self._script if self._scripts is None else self._scripts[asked.model]
        if isinstance(script, str | Says | Fails | Vectors):
            return script
        if callable(script):
            return script(asked)
        key = asked.model if self._scripts is not None else ""
        number = self._given.get(key, 0)
        if number >= len(script):
            raise AssertionError(f"{asked.model} was asked once more than FakeModels has answers ({len(script)})")
        self._given[key] = number + 1
        return script[number]
