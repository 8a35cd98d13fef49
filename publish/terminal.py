"""A picture of a terminal session for the README, from running it."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    "aldo lint examples/tutorial/broken.yaml",
    "aldo route --class local-reasoning --privacy sensitive --requires tool-use",
    "aldo route --class reasoning-large --privacy sensitive --why-not openai-gpt-6.1-sol",
    "aldo prove policy.yaml",
)
_WIDTH = 92
_FONT = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)


def picture() -> str:
    """The session as SVG. It loads nothing: the fonts are the reader's own."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for command in COMMANDS:
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")), soft_wrap=True)
        console.print(Text.from_ansi(_run(command)))
        console.print()
    drawn = console.export_svg(title="aldo", unique_id="aldo")
    return _FONT.sub("\n", drawn).replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")


def _run(command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALDO_")}
    done = subprocess.run(
        [sys.executable, "-m", "aldo", *command.split()[1:], "--color"],
        cwd=ROOT, env={**environment, "ALDO_TODAY": "2026-11-22", "COLUMNS": "88"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return done.stdout.rstrip("\n")
