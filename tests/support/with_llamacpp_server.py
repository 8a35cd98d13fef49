"""Run a command beside a real llama.cpp server: `python -m tests.support.with_llamacpp_server COMMAND [ARG ...]`.

It serves the small instruct model that a package carries; the command finds it through LLAMACPP_BASE_URL.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.llamacpp_server import LlamaCppServer, smollm2


def main(command: list[str]) -> int:
    with LlamaCppServer(smollm2(), extra={"model_alias": ["smollm2-135m-instruct"]}) as server:
        env = {**os.environ, "LLAMACPP_BASE_URL": server.base_url}
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
