"""`aldo lint` in a process of its own, with bounded memory, as a user would meet it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEMORY = 1024 * 1024 * 1024
SECONDS = 60
_MAIN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
from aldo.cli.main import main
main()
"""
COMMAND = (sys.executable, "-c", _MAIN.format(memory=MEMORY), "lint")


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


def lint(*arguments: str | os.PathLike[str], cwd: Path, **options: Any) -> Run:
    """Run `aldo lint`; fails where it takes more than a minute or prints a traceback."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "ALDO_TODAY": "2026-11-22",
        **options.pop("env", {}),
    }
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, capture_output=True, timeout=SECONDS, env=environment, check=False, **options
    )
    run = Run(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
    assert "Traceback" not in run.all, run.all[-3000:]
    return run
