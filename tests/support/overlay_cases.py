"""The corpus in `tests/cases/overlays`: a base, layers, and what must come of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.cases import CASES


@dataclass(frozen=True)
class OverlayCase:
    name: str
    base: Path
    layers: tuple[Path, ...]
    findings: list[str]
    models: dict[str, dict[str, Any]]
    explain: dict[str, list[str]]
    routes: list[tuple[dict[str, Any], str | None]]

    @property
    def options(self) -> list[str]:
        """The layers on a command line."""
        return ["--catalog", str(self.base), *(word for path in self.layers for word in ("--overlay", str(path)))]

    def place(self, file: str, line: int | None, column: int | None) -> str:
        """`LAYER:LINE:COLUMN`."""
        return f"{Path(file).stem}:{line}:{column}"


def overlay_cases(directory: Path) -> list[OverlayCase]:
    """Every case, its files written to `directory`."""
    return [_case(file, directory / file.stem) for file in sorted((CASES / "overlays").glob("*.yaml"))]


def _case(file: Path, directory: Path) -> OverlayCase:
    content = yaml.safe_load(file.read_text("utf-8"))
    directory.mkdir()
    base = directory / "base.yaml"
    base.write_text(content["base"], "utf-8")
    layers = tuple(directory / f"{number}.yaml" for number in range(len(content["layers"])))
    for path, text in zip(layers, content["layers"], strict=True):
        path.write_text(text, "utf-8")
    routes = [(request, model) for request, model in content.get("routes", [])]
    models, explain = content.get("models", {}), content.get("explain", {})
    return OverlayCase(file.stem, base, layers, content["findings"], models, explain, routes)
