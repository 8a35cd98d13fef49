"""A gateway and its servers in an event loop of their own, in a thread; and `aldo serve` in a process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn

from aldo.api import Settings, create_app
from aldo.api.door.protocol import PatientProtocol
from tests.api.upstream import Script, Upstream, good

DEADLINE = 20.0
Result = TypeVar("Result")


def until(condition: Callable[[], Result], what: str = "it") -> Result:
    """What the condition says once it holds. Fails where it never does."""
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.005)
    return found


def model(id: str, url: str | None = None, **more: Any) -> dict[str, Any]:
    """A local entry that serves every tier, in the catalog's own words."""
    config = {"baseUrl": url} if url is not None else {}
    config |= more.pop("config", {})
    return {
        "id": id,
        "provider": "acme",
        "providerKind": "openai-compat",
        "locality": "local",
        "capabilityClass": "fast-draft",
        "provides": ["streaming", "tool-use"],
        "privacyAllowed": ["public", "internal", "sensitive"],
        "effectiveContextTokens": 32768,
        "cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0},
        "providerConfig": config,
    } | more


def catalog_text(models: Sequence[Mapping[str, Any]], **more: Any) -> str:
    """The file of a catalog. JSON is YAML."""
    return json.dumps({"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(models), **more})


def write(path: Path, text: str) -> Path:
    """In one step, as an editor that cares does."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
    return path


class _Server(uvicorn.Server):
    """uvicorn's own, but that it ends when it is told to rather than at its next look."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.enough = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.enough.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listening in sockets or ():
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5.0):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(0.002)
        for task in list(self.server_state.tasks):
            task.cancel()
        for server in self.servers:
            await server.wait_closed()
        await self.lifespan.shutdown()


class Clock:
    """The time of day, which a test may put forward."""

    def __init__(self) -> None:
        self.shift = 0.0

    def __call__(self) -> float:
        return time.time() + self.shift


class Gateway:
    """A gateway that listens on the loopback."""

    def __init__(self, app: Any, port: int, server: _Server) -> None:
        self.clock = Clock()
        app.state.gateway.now = self.clock
        self.app = app
        self.port = port
        self.server = server
        self.inner = app.state.gateway
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=DEADLINE)

    def chat(
        self, model: str = "fast-draft", privacy: str | None = "public", *, headers: Any = None, **body: Any
    ) -> httpx.Response:
        said = {"model": model, "messages": [{"role": "user", "content": "hi"}], **body}
        wishes = {"x-aldo-privacy": privacy} if privacy is not None else {}
        return self.http.post("/v1/chat/completions", json=said, headers={**wishes, **(headers or {})})

    def route(self, query: str = "", headers: Any = None, **fields: Any) -> httpx.Response:
        return self.http.post(f"/v1/route{query}", json=fields, headers=headers)

    def embed(self, input: Any, privacy: str | None = "public", model: str = "embeddings", **body: Any) -> Any:
        wishes = {"x-aldo-privacy": privacy} if privacy is not None else {}
        return self.http.post("/v1/embeddings", json={"model": model, "input": input, **body}, headers=wishes)

    def rest(self) -> Gateway:
        """Forget who failed: time goes by, and a request is answered well. Its servers must be well by then."""
        self.clock.shift += 1000.0
        assert self.chat().status_code == 200
        return self

    def health_of(self, model: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/v1/models/{model}").raise_for_status().json()
        return dict(found["health"])

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of a name whose labels say this."""
        total = 0.0
        for line in self.http.get("/metrics").text.splitlines():
            if line.split("{")[0].split(" ")[0] == name and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)


class House:
    """An event loop in a thread, for servers and gateways, which all end with it."""

    def __init__(self, tmp: Path) -> None:
        self.tmp = tmp
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._upstreams: list[Upstream] = []
        self._gateways: list[tuple[Gateway, Any]] = []
        self._count = 0

    def __enter__(self) -> House:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for gateway, _task in list(self._gateways):
                self.close(gateway)
            for upstream in self._upstreams:
                self.run(upstream.stop())
            self.run(self.loop.shutdown_asyncgens())
            self.run(self.loop.shutdown_default_executor())
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(DEADLINE)
            self.loop.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """In the loop, from outside of it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(DEADLINE)

    def upstream(self, script: Script = good) -> Upstream:
        found = Upstream(script)
        self.run(found.start())
        self._upstreams.append(found)
        return found

    def catalog(self, *models: Mapping[str, Any], **more: Any) -> Path:
        self._count += 1
        return write(self.tmp / f"models-{self._count}.yaml", catalog_text(models, **more))

    def gateway(
        self,
        *models: Mapping[str, Any],
        environ: Mapping[str, str] | None = None,
        path: Path | None = None,
        routing: Mapping[str, Any] | None = None,
        vocabulary: Mapping[str, Any] | None = None,
        before: Callable[[Any], None] | None = None,
        **settings: Any,
    ) -> Gateway:
        """Serves a catalog. Nothing is probed, watched or asked twice unless the settings say so."""
        more = {name: value for name, value in (("routing", routing), ("vocabulary", vocabulary)) if value}
        path = path or self.catalog(*models, **more)
        given = {"probe_every": None, "watch_every": None, "retries": 0, **settings}
        app = create_app(Settings(catalog=str(path), **given), environ=environ or {})
        if before is not None:
            before(app.state.gateway)
        return self.serve(app)

    def serve(self, app: Any) -> Gateway:
        listening = socket.socket(
            socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )  # so that asyncio sets NODELAY
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        config = uvicorn.Config(
            app,
            http=PatientProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=5,
        )
        server = _Server(config)
        found = Gateway(app, listening.getsockname()[1], server)
        task = asyncio.run_coroutine_threadsafe(server.serve(sockets=[listening]), self.loop)
        self._gateways.append((found, task))
        until(lambda: server.started or task.done(), "the start of the gateway")
        return found

    def close(self, gateway: Gateway) -> None:
        """Stop one of them."""
        place = next(n for n, (one, _) in enumerate(self._gateways) if one is gateway)
        _, task = self._gateways.pop(place)
        gateway.http.close()
        gateway.server.should_exit = True
        self.loop.call_soon_threadsafe(gateway.server.enough.set)
        task.result(DEADLINE)


def sse(response: httpx.Response) -> list[Any]:
    """The data of the events of an answer: JSON values, and the word `[DONE]`."""
    return events_of(response.text)


def events_of(text: str) -> list[Any]:
    found: list[Any] = []
    for block in text.split("\n\n"):
        if block:
            assert block.startswith("data: ") and "\n" not in block, block
            data = block.removeprefix("data: ")
            found.append(data if data == "[DONE]" else json.loads(data))
    return found


def text_of(events: Sequence[Any]) -> str:
    """What the chunks of a stream say together."""
    return "".join(
        choice["delta"].get("content") or ""
        for one in events
        if isinstance(one, dict)
        for choice in one.get("choices", ())
    )


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """One HTTP answer from a bare connection, and nothing of the next one: status, headers, body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _exactly(connection, 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split(" ")[1]), headers, _exactly(connection, int(headers.get("content-length", "0")))


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError(f"closed after {data!r}")
        data += more
    return data


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has ended the connection, without waiting."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.setblocking(True)
        connection.settimeout(DEADLINE)


def posting(path: str, body: bytes, *headers: str, host: str = "localhost", length: int | None = None) -> bytes:
    """The bytes of a request."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"host: {host}",
        "content-type: application/json",
        "x-aldo-privacy: public",
        f"content-length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


CHAT = json.dumps({"model": "fast-draft", "messages": [{"role": "user", "content": "hi"}]}).encode()
STREAMED = json.dumps({"model": "fast-draft", "messages": [{"role": "user", "content": "hi"}], "stream": True}).encode()


class Served:
    """`aldo serve` in a process of its own, on a free port."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        self.url = ""

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


@contextlib.contextmanager
def serving(tmp: Path, *arguments: str, **environment: str) -> Iterator[Served]:
    """The process for the length of a `with` block, once it listens."""
    log = tmp / "serve.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "aldo.cli.main", "serve", "--port", "0", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=clean_environment(**environment),
            process_group=0,
        )
    served = Served(process, log)
    try:
        until(lambda: "/v1\n" in served.log or process.poll() is not None, "the start of the process")
        assert process.poll() is None, served.log
        served.url = next(word for word in served.log.split() if word.startswith("http://")).removesuffix("/v1")
        until(lambda: _answers(served), "the first answer of the process")
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(DEADLINE)


def _answers(served: Served) -> bool:
    assert served.process.poll() is None, served.log
    try:
        with httpx.Client(trust_env=False, timeout=DEADLINE) as http:
            return http.get(f"{served.url}/health").status_code == 200
    except httpx.TransportError:
        return False


def clean_environment(**environment: str) -> dict[str, str]:
    """This process's, without what the tests must not depend on."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ALDO_", "GITHUB_")) and not name.lower().endswith(("_proxy", "_base_url"))
    } | environment
