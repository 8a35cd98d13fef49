"""How a run tells what happens."""

from __future__ import annotations

from typing import Literal, Protocol

Phase = Literal["answers", "judging"]


class Progress(Protocol):
    """Told of what happens. All is called in one thread."""

    def begin(self, phase: Phase, name: str, done: int, total: int) -> None:
        """A model begins to answer, or an evaluator to judge; `done` are done from before."""

    def advance(self, phase: Phase, name: str, failed: bool) -> None: ...
    def end(self, phase: Phase, name: str) -> None: ...
    def note(self, text: str) -> None:
        """Something that a person should know, such as why a model was given up."""


class Silent:
    """Tells nobody."""

    def begin(self, phase: Phase, name: str, done: int, total: int) -> None: ...
    def advance(self, phase: Phase, name: str, failed: bool) -> None: ...
    def end(self, phase: Phase, name: str) -> None: ...
    def note(self, text: str) -> None: ...
