"""A real ``vllm serve`` as a subprocess of the tests, from an environment of its own.

``python -m tests.support.install_vllm .venv-vllm`` makes one; ``ALDO_VLLM_BIN`` names the ``bin`` of another.

Seen of version 0.32.0 on a CPU with the random model of ``tiny_model``:

- ``/health`` is 200 with an empty body, ``/version`` is ``{"version":"0.32.0"}``, ``/v1/models`` tells
  ``max_model_len``, ``/props`` is 404; a text model has no ``/v1/embeddings`` (404 ``{"detail":"Not Found"}``).
- ``response_format`` json_schema is enforced. ``tool_choice`` required and named are too, but the arguments
  follow their schema only where the function says ``strict: true``: else any JSON may come, even ``Infinity``.
  ``required`` calls until ``max_tokens`` unless ``parallel_tool_calls`` is false. A named choice finishes ``stop``.
- A call cut by ``max_tokens`` is text in a plain answer and a fragment of a call in a stream.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.support.install_vllm import finished
from tests.support.server_process import HOST, ROOT, ServerError, ServerProcess

READY_SECONDS = 300.0  # it takes 20 to 40 s on two idle cores
SERVED = "tiny"


def _bin() -> Path:
    named = os.environ.get("ALDO_VLLM_BIN")
    return Path(named) if named else ROOT / ".venv-vllm" / "bin"


def vllm_installed() -> bool:
    """Whether there is a vLLM to start: the named one, else a finished one of our own."""
    program = _bin() / "vllm"
    return os.access(program, os.X_OK) and (bool(os.environ.get("ALDO_VLLM_BIN")) or finished(program.parents[1]))


class VllmServer(ServerProcess):
    """``vllm serve`` on a free port for the length of a ``with`` block; the model is called ``tiny``."""

    title = "vllm serve"
    announcement = "Application startup complete"
    taken = "Address already in use"
    fatal: ClassVar[Mapping[int, str]] = {503: "lost its engine"}

    def __init__(
        self,
        model: Path,
        *,
        port: int | None = None,
        context: int = 512,
        log: Path | None = None,
        extra_args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        ready_seconds: float = READY_SECONDS,
    ) -> None:
        self.model = Path(model).resolve()
        if not (self.model / "config.json").is_file():
            raise ServerError(f"no model in {self.model}")
        self._program = _bin().absolute() / "vllm"
        if not self._program.is_file():
            raise ServerError(f"no vLLM at {self._program}; python -m tests.support.install_vllm .venv-vllm makes one")
        super().__init__(port=port, log=log, env=env, ready_seconds=ready_seconds)
        self._context = context
        self._extra_args = list(extra_args)

    def _command(self) -> list[str]:
        command = [str(self._program), "serve", str(self.model), "--host", HOST, "--port", str(self.port)]
        command += ["--served-model-name", SERVED, "--max-model-len", str(self._context), "--enforce-eager"]
        return [*command, "--enable-auto-tool-choice", "--tool-call-parser", "hermes", *self._extra_args]

    def _environment(self) -> dict[str, str]:
        """Offline, on the loopback only, and with its files in the server's own folder.

        What it finds out about a model's class takes it 15 s; that stays in an environment of our own.
        """
        home = self._program.parents[1]
        cache = home / "vllm-cache" if finished(home) else self._work / "vllm-cache"
        env = {name: value for name, value in super()._environment().items() if not name.startswith("VLLM_")}
        env.pop("PYTHONPATH", None)
        env.update(
            VLLM_TARGET_DEVICE="cpu",
            VLLM_CPU_KVCACHE_SPACE="1",
            VLLM_HOST_IP=HOST,
            VLLM_NO_USAGE_STATS="1",
            VLLM_CACHE_ROOT=str(cache),
            VLLM_CONFIG_ROOT=str(self._work / "vllm-config"),
            TRANSFORMERS_OFFLINE="1",
            TMPDIR=str(self._work),
        )
        return env
