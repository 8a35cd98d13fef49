"""The corpus in `tests/cases`: read once, run through every door."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "cases"
MODELS = ROOT / "models.yaml"


@dataclass(frozen=True)
class RouteCase:
    name: str
    catalog: Path
    request: dict[str, Any]
    expect: dict[str, Any] | None
    error: dict[str, Any] | None

    def check(self, outcome: dict[str, Any]) -> None:
        """Compare a decision's or an error's JSON with what the case expects."""
        if self.error is not None:
            assert "error" in outcome, outcome
            found, expected = outcome["error"], self.error
        else:
            assert "error" not in outcome, outcome
            found, expected = outcome, self.expect or {}
        assert {key: found.get(key) for key in expected} == expected


def route_cases(directory: Path) -> list[RouteCase]:
    """Every routing case; inline catalogs are written to `directory`."""
    cases: list[RouteCase] = []
    for file in sorted((CASES / "routes").glob("*.yaml")):
        content = yaml.safe_load(file.read_text("utf-8"))
        catalog = MODELS
        if content["catalog"] != "shipped":
            catalog = directory / file.name
            catalog.write_text(json.dumps(content["catalog"]), "utf-8")  # JSON is YAML, and leaves no scalar open
        cases += [
            RouteCase(case["name"], catalog, case["request"], case.get("expect"), case.get("error"))
            for case in content["cases"]
        ]
    return cases
