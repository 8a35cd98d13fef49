"""A real ``mlx_lm server`` as a subprocess of the tests."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.support.server_process import HOST, READY_SECONDS, ServerError, ServerProcess, free_port

__all__ = ["HOST", "READY_SECONDS", "MlxServer", "ServerError", "free_port"]


class MlxServer(ServerProcess):
    """``mlx_lm server`` on a free port for the length of a ``with`` block.

    The hub cache is a private, empty one: with ``hub_cache=True`` its folder exists and ``/v1/models``
    lists the model by its path; with ``False`` it does not, and ``/v1/models`` answers 200 with an
    empty body.
    """

    title = "mlx_lm server"
    announcement = "Starting httpd at"
    taken = "Address already in use"  # its generation thread keeps the process alive after a failed bind
    fatal: ClassVar[Mapping[int, str]] = {503: "lost its generation thread"}

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
        super().__init__(port=port, log=log, env=env, ready_seconds=ready_seconds)
        self._extra_args = list(extra_args)
        self._hub_cache = hub_cache

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "mlx_lm", "server", "--model", str(self.model)]
        return [*command, "--host", HOST, "--port", str(self.port), *self._extra_args]

    def _environment(self) -> dict[str, str]:
        env = super()._environment()
        if self._hub_cache:
            (Path(env["HF_HOME"]) / "hub").mkdir(parents=True, exist_ok=True)
        return env
