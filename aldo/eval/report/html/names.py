"""A letter for each model, A for the baseline: what stands for it where its name is too long."""

from __future__ import annotations

from dataclasses import dataclass

from aldo.eval.report import words
from aldo.eval.report.html.markup import Child, Markup, el
from aldo.eval.report.model import Report

LOOKS = 6
"""How many colours the page has; then they begin again."""


@dataclass(frozen=True)
class Names:
    """The models of a report in their order."""

    all: tuple[str, ...]

    @classmethod
    def of(cls, report: Report) -> Names:
        return cls(tuple(model.model for model in report.models))

    @property
    def letters(self) -> list[str]:
        return [self.letter(model) for model in self.all]

    def letter(self, model: str) -> str:
        return words.letter(self.all.index(model))

    def look(self, model: str) -> int:
        """Which of the page's colours and shapes."""
        return self.all.index(model) % LOOKS

    def badge(self, model: str) -> Markup:
        return el("span", self.letter(model), class_=f"badge look-{self.look(model)}")

    def named(self, model: str, *more: Child) -> Markup:
        """The badge and the whole name, which may break anywhere."""
        return el("span", self.badge(model), " ", el("span", model, class_="name"), *more, class_="model")
