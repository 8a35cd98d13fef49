"""Vega-Lite in our style, drawn as static SVG by vl-convert: no browser, no network, no script in the page.

Colours are CSS variables of the page, so one drawing serves light, dark and paper. A drawing is as wide as a phone;
on wider screens several stand side by side. Each model has a row with its letter, its name and its number, and a
shape, so nothing is told by colour alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from aldo.errors import UsageError
from aldo.eval.report.html.markup import Markup, shown
from aldo.eval.report.html.names import LOOKS, Names

MISSING = "a report in HTML needs the extra: pip install 'aldo-gateway[eval]'"
WIDTH = 340

_ROW = 46
_LANGUAGE = "6.1"  # of Vega-Lite; vl-convert carries several
_BELOW = 10  # the marks of a row stand below its name
_SHAPES = ("diamond", "circle", "square", "triangle-up", "cross", "triangle-down")
_START = re.compile(r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>')

Row = Mapping[str, Any]
"""`model`, a letter; `x`, `low` and `high`; `name` and `told`, the texts of a row."""

Layer = dict[str, Any]


@dataclass(frozen=True)
class Plot:
    """Rows of marks, one row for each model, over one axis."""

    names: Names
    models: Sequence[str]
    """Of which there are rows, from the top."""
    scale: Row
    number: str = ""
    """How the axis writes a number: an expression of Vega's over `datum.label`."""

    def draw(self, name: str, layers: Sequence[Layer]) -> Markup:
        """An SVG with this name for those who cannot see it. Raises `UsageError` without the extra."""
        try:
            convert = import_module("vl_convert")
        except ImportError:
            raise UsageError(MISSING) from None
        specification = {
            "width": WIDTH,
            "height": {"step": _ROW},
            "background": "transparent",
            "padding": {"left": 2, "right": 2, "top": 2, "bottom": 2},
            "config": _CONFIG,
            "layer": list(layers),
        }
        drawn: str = convert.vegalite_to_svg(json.dumps(specification), vl_version=_LANGUAGE)
        return Markup(_START.sub(lambda it: f'<svg role="img" aria-label="{shown(name)}" viewBox="{it[1]}">', drawn))

    def ranges(self, rows: Sequence[Row]) -> list[Layer]:
        """A point, and the line from `low` to `high` with its ends."""
        return [
            self.marks(rows, {"type": "rule", "strokeWidth": 2.5}, x="low", x2="high"),
            *(
                self.marks(rows, {"type": "tick", "thickness": 2.5, "size": 11, "opacity": 1}, x=end)
                for end in ("low", "high")
            ),
            self.points(rows),
        ]

    def points(self, rows: Sequence[Row]) -> Layer:
        look = {"type": "point", "filled": True, "size": 130, "opacity": 1, "stroke": "var(--page)", "strokeWidth": 1.5}
        return self.marks(rows, look, shaped=True)

    def marks(
        self, rows: Sequence[Row], mark: Row, *, x: str = "x", x2: str | None = None, shaped: bool = False
    ) -> Layer:
        encoding = {"x": self._x(x), "y": self._y(), "color": self._look([f"var(--look-{n})" for n in range(LOOKS)])}
        if x2 is not None:
            encoding["x2"] = {"field": x2}
        if shaped:
            encoding["shape"] = self._look(_SHAPES)
        return {"data": {"values": list(rows)}, "mark": {**mark, "yOffset": _BELOW}, "encoding": encoding}

    def labels(self, rows: Sequence[Row]) -> list[Layer]:
        """Of each row the name on the left, its number on the right."""
        right = {"x": "width", "align": "right", "fontWeight": 600}
        left = {"x": 0, "align": "left", "limit": WIDTH - 65}
        both = {"type": "text", "yOffset": -12, "baseline": "middle", "fontSize": 11.5, "color": "var(--ink)"}
        return [
            {
                "data": {"values": list(rows)},
                "mark": {**both, **side},
                "encoding": {"y": self._y(), "text": {"field": field, "type": "nominal"}},
            }
            for side, field in ((left, "name"), (right, "told"))
        ]

    def line(self, x: float, told: str, *, dashed: bool, left: bool) -> Layer:
        """A line across all rows, named above them to its left or right."""
        rule = {"type": "rule", "color": "var(--soft)", "strokeWidth": 1.5, "strokeDash": [5, 3] if dashed else [1, 0]}
        side = {"align": "right", "dx": 2} if left else {"align": "left", "dx": -2}
        text = {"type": "text", "y": -9, "baseline": "middle", "fontSize": 10, "color": "var(--soft)", **side}
        place = {"x": self._x("x")}
        data = {"values": [{"x": x, "told": told}]}
        return {
            "data": data,
            "layer": [
                {"mark": rule, "encoding": place},
                {"mark": text, "encoding": {**place, "text": {"field": "told", "type": "nominal"}}},
            ],
        }

    def _x(self, field: str) -> dict[str, Any]:
        axis = {"tickCount": 5, "labelExpr": self.number or "datum.label", "title": None}
        return {"field": field, "type": "quantitative", "scale": dict(self.scale), "axis": axis}

    def _y(self) -> dict[str, Any]:
        letters = [self.names.letter(model) for model in self.models]
        return {"field": "model", "type": "nominal", "axis": None, "scale": {"domain": letters}}

    def _look(self, looks: Sequence[str]) -> dict[str, Any]:
        letters = self.names.letters
        scale = {"domain": letters, "range": [looks[place % len(looks)] for place in range(len(letters))]}
        return {"field": "model", "type": "nominal", "legend": None, "scale": scale}


_CONFIG = {
    "aria": False,  # the drawing has one name; its numbers are in a table
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--soft)",
        "labelFontSize": 10,
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelPadding": 4,
    },
}
