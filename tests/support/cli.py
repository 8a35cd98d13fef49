"""Run `aldo` as a user does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def aldo(
    *arguments: str, stdin: str | bytes = b"", cwd: Path | None = None, timeout: float = 60, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The finished process, its output decoded as UTF-8. ALDO_* of the caller's environment is not passed on."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ALDO_", "GITHUB_"))}
    # The prices in models.yaml grow old; what the tests expect of it does not.
    env |= {"PYTHONIOENCODING": "utf-8", "ALDO_TODAY": "2026-11-22", **environment}
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-m", "aldo.cli.main", *arguments],
        input=data,
        capture_output=True,
        cwd=cwd,
        env=env,
        timeout=timeout,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )
