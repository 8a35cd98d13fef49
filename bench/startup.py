"""Importing and starting."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from bench.measure import Row, paired_processes

PYTHON = sys.executable


def rows() -> Iterator[Row]:
    ours, theirs = paired_processes([PYTHON, "-c", "import aldo"], [PYTHON, "-c", "import pydantic"])
    yield Row("import aldo", ours, "import pydantic", theirs, "<= 40 ms above")
    ours, theirs = paired_processes([PYTHON, "-c", "import aldo; aldo.route"], [PYTHON, "-c", "import pydantic"])
    yield Row("import aldo; aldo.route", ours, "import pydantic", theirs)
    lint = [PYTHON, "-m", "aldo.cli.main", "lint", "models.yaml"]
    ours, theirs = paired_processes(lint, [PYTHON, "-c", "import pydantic, yaml"])
    yield Row("aldo lint models.yaml", ours, "import pydantic, yaml", theirs, "<= 3 x")
