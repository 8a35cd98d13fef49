"""What a run of the tests came to, kept for the page of evidence: `python -m publish.record JUNIT.xml [NAME]`.

NAME is `tests` (the default) or `heavy`, for a run of everything.
"""

from __future__ import annotations

import datetime
import json
import platform
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

EVIDENCE = Path(__file__).resolve().parents[1] / "docs" / "evidence"


def main(report: str, name: str = "tests") -> None:
    """Count the tests of each room, and what came of them."""
    suite = next(ElementTree.parse(report).getroot().iter("testsuite"))
    rooms: Counter[str] = Counter()
    for case in suite.iter("testcase"):
        parts = case.get("classname", "").split(".")
        rooms[parts[1] if len(parts) > 2 else "whole"] += 1
    kept = {
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "seconds": round(float(suite.get("time", "0"))),
        "tests": int(suite.get("tests", "0")),
        "failures": int(suite.get("failures", "0")) + int(suite.get("errors", "0")),
        "skipped": int(suite.get("skipped", "0")),
        "rooms": dict(rooms.most_common()),
    }
    (EVIDENCE / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
