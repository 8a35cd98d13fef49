"""A model server as a subprocess of the tests: started, awaited, killed, and its log kept."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

HOST = "127.0.0.1"
READY_SECONDS = 120.0
POLL_SECONDS = 0.05
STOP_SECONDS = 10.0
ROOT = Path(__file__).resolve().parents[2]


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


class ServerProcess:
    """A server on a free port for the length of a ``with`` block.

    ``start()`` after ``kill()`` or ``terminate()`` brings it back on the same port.
    """

    title: ClassVar[str]
    announcement: ClassVar[str]  # its log line which says that the port is its own, not another server's
    taken: ClassVar[str]  # its log line for a port that is not free; not all servers end then
    fatal: ClassVar[Mapping[int, str]] = {}  # what a status of /health says that waiting will not change

    def __init__(self, *, port: int | None, log: Path | None, env: Mapping[str, str] | None, ready_seconds: float):
        self._fixed_port = port
        self.port = port if port is not None else free_port()
        self._env = dict(env or {})
        self._ready_seconds = ready_seconds
        self._work = Path(tempfile.mkdtemp(prefix="model-server-"))
        self.log = Path(log) if log is not None else self._work / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = True
        self._log_start = 0
        # A test may kill from a thread of its own: nobody looks before the process is really gone.
        self._lock = threading.RLock()

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _environment(self) -> dict[str, str]:
        """This process's variables without proxies and hub settings, offline."""
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.lower().endswith("_proxy") and not name.startswith(("HF_", "HUGGING"))
        }
        env.update(HF_HUB_OFFLINE="1", HF_HOME=str(self._work / "hub-home"), PYTHONUNBUFFERED="1")
        return env

    @property
    def base_url(self) -> str:
        """The address without ``/v1``."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The id of the process and of its group, also after its end; ``None`` before the first start."""
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
        self.kill()
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
        """SIGKILL to the whole process group, also to what a dead server left; returns when all are gone."""
        with self._lock:
            if self._process is None or self._ended:
                return
            self._signal(signal.SIGKILL)
            self._process.wait()
            deadline = time.monotonic() + STOP_SECONDS
            while group_lives(self._process.pid) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            self._ended = True

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

    def __enter__(self) -> Self:
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
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, self.log.open("ab") as log:
            self._log_start = log.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**self._environment(), **self._env},
                cwd=ROOT,
                process_group=0,
            )
            self._ended = False
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._ready_seconds
        while True:
            running = self.running
            log = self.log_text()
            if self.taken in log:
                raise self._failure(f"found port {self.port} taken", _PortTakenError)
            if not running:
                raise self._failure("ended before it was ready")
            if self.announcement in log:
                status = self._health()
                if status == 200:
                    return
                if status in self.fatal:
                    raise self._failure(self.fatal[status])
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
        return kind(f"{self.title} {what}{ending}; the end of its output:\n{tail}")

    def _signal(self, number: signal.Signals) -> None:
        """Signal the process group, which has the process's own id."""
        if self._process is not None and not self._ended:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def group_lives(group: int) -> bool:
    """Whether a process of the group lives; one that only waits for its parent to look does not count."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    found = list(Path("/proc").glob("[0-9]*/stat"))
    if not found:  # only Linux tells more
        return True
    for path in found:
        with contextlib.suppress(OSError):
            state, _, its_group = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False
