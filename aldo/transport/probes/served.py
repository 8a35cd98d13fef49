"""What a server says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model of a server, as far as the server says. Sizes are tokens."""

    name: str
    """As it goes on the wire."""
    embeds: bool | None = None
    """Whether it is for embeddings; None where the server does not say."""
    context: int | None = None
    """What is served, not what the model could."""
    provides: frozenset[str] | None = None
    """Capability tags; None where the server does not say."""
    dimensions: int | None = None
    """The length of its embeddings."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was recognised."""

    runtime: str
    models: tuple[ServedModel, ...] = ()
    names_matter: bool = True
    """Whether it refuses a name that is not in its list."""
    state: Literal["up", "loading", "locked"] = "up"
    """`locked`: it wants a key."""

    def model(self, name: str) -> ServedModel | None:
        """The model of a name, as the server would take it."""
        for model in self.models:
            if name in (model.name, model.name.removesuffix(":latest")):
                return model
        return None
