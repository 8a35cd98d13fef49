"""A llama.cpp server on this machine for the length of a `with` block, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aldo.errors import UsageError

ALIAS = "smollm2-135m-instruct"
CONTEXT = 2048
_READY_SECONDS = 120.0
_LISTENING = "aldo demo: listening on "


@contextmanager
def running(model: Path) -> Iterator[str]:
    """Its base URL once it listens. Raises `UsageError` with what it said where it does not start."""
    command = [sys.executable, "-m", __name__, str(model)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    said: list[str] = []
    found = threading.Event()
    reader = threading.Thread(target=_read, args=(process, said, found), daemon=True)
    reader.start()
    try:
        found.wait(_READY_SECONDS)
        address = next((line.removeprefix(_LISTENING) for line in said if line.startswith(_LISTENING)), None)
        if address is None:
            raise UsageError(f"the llama.cpp server did not start: {said[-1] if said else 'it said nothing'}")
        yield address
    finally:
        process.kill()
        process.wait()
        reader.join()


def _read(process: subprocess.Popen[str], said: list[str], found: threading.Event) -> None:
    assert process.stdout is not None
    for line in process.stdout:  # to its end, so that the server never waits for a reader
        if not found.is_set():
            said.append(line.rstrip("\n"))
            if line.startswith(_LISTENING):
                found.set()
    found.set()


def serve(model: str) -> None:
    """Serve in this process until it is killed."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {ALIAS}
    params.n_ctx, params.n_parallel = CONTEXT, 1
    params.hostnames, params.port = ["127.0.0.1"], 0
    server = xllamacpp.Server(params)
    print(f"{_LISTENING}{server.listening_address}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    serve(*sys.argv[1:])
