"""The type of the fixture `aldo_models`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aldo.transport.fake import FakeModels, Script


class PlayModels(Protocol):
    """Plays the models for the rest of a test: `models = aldo_models("Paris")`."""

    def __call__(self, script: Script | Mapping[str, Script], /) -> FakeModels: ...
