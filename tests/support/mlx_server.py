"""A real ``mlx_lm server`` as a subprocess of the tests."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

HOST = "127.0.0.1"
READY_SECONDS = 120.0
POLL_SECONDS = 0.05
STOP_SECONDS = 10.0


class ServerError(RuntimeError):
    """The server did not start, or ended before it was ready."""


class _PortTakenError(ServerError):
    """Someone took the free port before the server could."""


def free_port() -> int:
    """A port of the loopback that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class MlxServer:
    """``mlx_lm server`` on a free port for the length of a ``with`` block.

    ``start()`` after ``kill()`` or ``terminate()`` brings it back on the same port. The hub cache is
    a private, empty one: with ``hub_cache=True`` its folder exists and ``/v1/models`` lists the model
    by its path; with ``False`` it does not, and ``/v1/models`` answers 200 with an empty body.
    """

    def __init__(
        self,
        model: Path,
        *,
        port: int | None = None,
        log: Path | None = None,
        extra_args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        hub_cache: bool = True,
        ready_seconds: float = READY_SECONDS,
    ) -> None:
        self.model = Path(model).resolve()
        if not (self.model / "config.json").is_file():
            raise ServerError(f"no model in {self.model}")
        self._fixed_port = port
        self.port = port if port is not None else free_port()
        self._extra_args = list(extra_args)
        self._env = dict(env or {})
        self._hub_cache = hub_cache
        self._ready_seconds = ready_seconds
        self._work = Path(tempfile.mkdtemp(prefix="mlx-server-"))
        self.log = Path(log) if log is not None else self._work / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        # A test may kill from a thread of its own: nobody looks before the process is really gone.
        self._lock = threading.RLock()

    @property
    def base_url(self) -> str:
        """The address without ``/v1``."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id, also after its end; ``None`` before the first start."""
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        with self._lock:
            return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and return when it answers; ``ServerError`` with the log's end otherwise."""
        if self.running:
            return
        for last in (False, False, True):
            try:
                self._start_once()
                return
            except _PortTakenError:
                self.kill()
                if last or self._fixed_port is not None:
                    raise
                self.port = free_port()
            except BaseException:
                self.kill()
                raise

    def kill(self) -> None:
        """SIGKILL to the whole process group; returns when the process is gone."""
        with self._lock:
            self._signal(signal.SIGKILL)
            if self._process is not None:
                self._process.wait()

    def terminate(self) -> None:
        """SIGTERM, and SIGKILL if that does not end it in time."""
        with self._lock:
            if self._process is not None and self.running:
                self._signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_SECONDS)
            self.kill()

    def log_text(self) -> str:
        """What the server wrote since its last start."""
        try:
            with self.log.open("rb") as stream:
                stream.seek(self._log_start)
                return stream.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def __enter__(self) -> MlxServer:
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self._work, ignore_errors=True)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.terminate()
        finally:
            self.kill()
            shutil.rmtree(self._work, ignore_errors=True)

    def _start_once(self) -> None:
        command = [sys.executable, "-m", "mlx_lm", "server", "--model", str(self.model)]
        command += ["--host", HOST, "--port", str(self.port), *self._extra_args]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, self.log.open("ab") as log:
            self._log_start = log.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                process_group=0,
            )
        self._wait_until_ready()

    def _environment(self) -> dict[str, str]:
        """This process's variables without proxies and hub settings, offline, with a private cache."""
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.lower().endswith("_proxy") and not name.startswith(("HF_", "HUGGING"))
        }
        home = self._work / "hub-home"
        if self._hub_cache:
            (home / "hub").mkdir(parents=True, exist_ok=True)
        env.update(HF_HUB_OFFLINE="1", HF_HOME=str(home), PYTHONUNBUFFERED="1")
        env.update(self._env)
        return env

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._ready_seconds
        while True:
            if not self.running:
                raise self._failure("ended before it was ready")
            log = self.log_text()
            # The generation thread keeps the process alive after a failed bind.
            if "Address already in use" in log:
                raise self._failure(f"found port {self.port} taken", _PortTakenError)
            # The log line says that the port is ours, not another server's.
            if "Starting httpd at" in log:
                status = self._health()
                if status == 200:
                    return
                if status == 503:
                    raise self._failure("lost its generation thread")
            if time.monotonic() >= deadline:
                raise self._failure(f"was not ready within {self._ready_seconds:g} s")
            time.sleep(POLL_SECONDS)

    def _health(self) -> int | None:
        """The status of ``/health``, or ``None`` without an answer."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5.0)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _failure(self, what: str, kind: type[ServerError] = ServerError) -> ServerError:
        code = self._process.poll() if self._process is not None else None
        tail = "\n".join(self.log_text().splitlines()[-30:]) or "(nothing)"
        ending = "" if code is None else f" (exit code {code})"
        return kind(f"mlx_lm server {what}{ending}; the end of its output:\n{tail}")

    def _signal(self, number: signal.Signals) -> None:
        """Signal the process group, which has the process's own id."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
