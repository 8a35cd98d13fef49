"""The merged catalog and how it came to be: its entries, the steps that made them, and who set a value last."""

from __future__ import annotations

from typing import Any

from aldo.catalog.document import Document
from aldo.catalog.layers.steps import Birth, Path, Step, Subject, place_of, value_at
from aldo.catalog.load import CatalogFile


class Merged:
    """The catalog so far. Values of the layers are shared, never changed."""

    def __init__(self, base: CatalogFile) -> None:
        self.documents: list[Document] = [base.document]
        value = base.document.value
        self.entries: dict[str, Any] = {entry["id"]: entry for entry in base.models}
        self.sections: dict[str, Any] = {} if isinstance(value, list) else {**value}
        self.sections.pop("models", None)
        self.births: dict[str, Birth] = {}
        """Of entries that layers added; the others came from the base."""
        self.base_index: dict[str, int] = {model: index for index, model in enumerate(self.entries)}
        self.base_prefix: tuple[str | int, ...] = base.prefix
        self.steps: dict[Subject, list[Step]] = {}
        self.gone: dict[str, Any] = {}
        """Entries that a layer removed, as they were."""
        self.touched: set[str] = set()
        """Ids whose entries differ from those of the base."""

    def birth(self, model: str) -> Birth:
        """Where an entry came from as a whole."""
        if model in self.births:
            return self.births[model]
        return Birth(0, (*self.base_prefix, self.base_index[model]))

    def origin(self, subject: Subject, path: Path, steps: list[Step] | None = None) -> tuple[int, Path] | None:
        """The layer that set a value last, and where in it; None where no layer says anything of it.

        Of a map from which something was taken that is the place of the taking.
        """
        for step in reversed(self.steps.get(subject, []) if steps is None else steps):
            taken = step.operation == "$unset" and path == step.path[: len(path)]
            around = step.path == path[: len(step.path)]
            if step.idle or not (taken or around) or step.operation in ("add", "remove"):
                continue
            if taken:
                return step.layer, step.at
            rest = path[len(step.path) :]
            if step.operation in ("$add", "$remove") and rest:  # only the operation that added an item has set it
                item = value_at(step.new, rest[:1])
                before = place_of(item, step.old) if isinstance(step.old, list) else None
                if before is not None:
                    path = (*step.path, before)
                    continue
                said = value_at(self.documents[step.layer].value, step.at)
                rest = (place_of(item, said) or 0,)
            return step.layer, (*step.at, *rest)
        if subject[0] == "models":
            birth = self.birth(subject[1])
            return birth.layer, (*birth.at, *path)
        return (0, (*subject, *path)) if self.base_prefix else None

    def last_removal(self) -> Step | None:
        """The step that removed an entry last."""
        removals = [step for steps in self.steps.values() for step in steps if step.operation == "remove"]
        return max(removals, key=lambda step: step.layer, default=None)
