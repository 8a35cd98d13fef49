"""Where the `aldo` command begins: Ctrl-C ends it quietly from the first moment, also while modules are imported."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130


def script() -> None:
    """The console script."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell (`>&-`): nobody reads or writes there
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    try:
        from aldo.cli.main import script as rest

        rest()
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)


if __name__ == "__main__":
    script()
