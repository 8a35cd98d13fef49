"""The figures of a run, kept in docs/evidence/bench.json: the README and the page of evidence are made from it."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.measure import Row

PLACE = Path(__file__).parents[1] / "docs" / "evidence" / "bench.json"


def keep(found: Mapping[str, Sequence[Row | str]]) -> None:
    """Write what came of each room, over what an earlier run found in it; the other rooms stay as they are."""
    rooms: dict[str, Any] = json.loads(PLACE.read_text("utf-8"))["rooms"] if PLACE.exists() else {}
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    for room, rows in found.items():
        rooms[room] = {
            "date": datetime.date.today().isoformat(),
            "machine": machine,
            "rows": [{**asdict(row), "ratio": row.ratio} for row in rows if isinstance(row, Row)],
            "leftOut": [row for row in rows if isinstance(row, str)],
        }
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(json.dumps({"rooms": rooms}, indent=1, ensure_ascii=False) + "\n", "utf-8")
