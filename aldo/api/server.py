"""The app under uvicorn: one process, or several that share a port."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import time
from functools import partial
from importlib.util import find_spec
from math import ceil
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from aldo.api.app import create_app
from aldo.api.door.protocol import PatientProtocol
from aldo.api.settings import Settings
from aldo.errors import AldoError, UsageError

log: logging.Logger = logging.getLogger("aldo.serve")

_KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: longer than clients and proxies keep theirs, so that they close first."""
_BACKLOG = 2048


def serve(settings: Settings, host: str, port: int, *, workers: int = 1, drain: float = 30.0) -> None:
    """Serve until SIGTERM or SIGINT. `drain`: seconds that answers under way then have to end.

    Raises `UsageError` for an address that cannot be had and for a gateway that others could reach and everybody could
    use, `CatalogError` for a catalog that cannot be used.
    """
    settings.check_reach(host)
    _log_to_stderr()
    app = _app(settings)  # also for several processes: what is wrong with the files is told once, and here
    with _listening(host, port) as listening:
        url = _url(listening)
        gateway = app.state.gateway
        log.info("aldo serves %s models at %s/v1", len(gateway.serving.catalog.models), url)
        log.info(
            "tier of requests that say none: %s; keys: %s; usage: %s",
            settings.privacy or "none, they are refused",
            len(gateway.keys) if gateway.keys else "none, so this machine only",
            settings.usage or "not logged",
        )
        if workers > 1:
            config = _config(partial(_app_of_worker, settings), drain, factory=True)
            config.workers = workers
            supervisor = _Workers(config, sockets=[listening])
            supervisor.run()
            supervisor.end_as_asked()
            return
        server = uvicorn.Server(_config(app, drain))
        server.run(sockets=[listening])
        if not server.started:
            raise UsageError("the gateway did not start; its log says why")


def _config(app: Any, drain: float, *, factory: bool = False) -> uvicorn.Config:
    loop: Literal["uvloop", "asyncio"] = "uvloop" if find_spec("uvloop") else "asyncio"
    return uvicorn.Config(
        app,
        factory=factory,
        loop=loop,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=ceil(drain),
    )


def _app(settings: Settings) -> Starlette:
    if hasattr(signal, "SIGHUP"):  # until the app listens to it: the files are being read anyway
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    app = create_app(settings)
    app.state.gateway.settled = _settle_heap
    return app


def _settle_heap() -> None:
    """A catalog is many values that stay: the collector would visit all of them again and again, and each time every
    request would wait for it. That is most of what the slowest one in a hundred takes."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _app_of_worker(settings: Settings) -> Starlette:
    _log_to_stderr()
    try:
        return _app(settings)
    except AldoError as error:  # the files have changed since the first process read them
        log.error("%s", error)
        sys.exit(error.exit_code)


class _Workers(Multiprocess):
    """uvicorn's own supervisor, but that a SIGHUP goes to the workers: to read their files anew, not to end them."""

    _asked: signal.Signals | None = None

    def handle_int(self) -> None:
        self._asked = signal.SIGINT
        self.should_exit.set()

    def handle_term(self) -> None:
        self._asked = signal.SIGTERM
        self.should_exit.set()

    def end_as_asked(self) -> None:
        """Ends in the way that one process without workers does: by the signal that it was sent."""
        if self._asked == signal.SIGINT:
            raise KeyboardInterrupt
        if self._asked is not None:
            signal.signal(self._asked, signal.SIG_DFL)
            signal.raise_signal(self._asked)

    def handle_hup(self) -> None:
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)


def _listening(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--host {host}: {getattr(error, 'strerror', None) or error}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise UsageError(f"{host}:{port} cannot be listened on: {error.strerror}") from None
    listening.set_inheritable(True)
    return listening


def _url(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _log_to_stderr() -> None:
    """A line an event, times in UTC. Nothing of requests or answers is ever logged."""
    shape = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    shape.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(shape)
    for name, level in (("aldo", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False
