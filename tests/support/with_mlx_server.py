"""Run a command beside a real mlx_lm.server: `python -m tests.support.with_mlx_server COMMAND [ARG ...]`.

The server has a tiny random model made on the spot; the command finds it through MLX_BASE_URL.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.mlx_server import MlxServer
from tests.support.tiny_model import build_tiny_model


def main(command: list[str]) -> int:
    with tempfile.TemporaryDirectory() as directory:
        model = build_tiny_model(Path(directory) / "tiny")
        with MlxServer(model) as server:
            return subprocess.run(command, env={**os.environ, "MLX_BASE_URL": server.base_url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
