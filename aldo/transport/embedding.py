"""What goes into an embedding and what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from aldo.errors import UsageError
from aldo.schema.usage import UsageRow
from aldo.transport.chat import Usage


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Texts to embed. `dimensions` asks for shorter vectors, where the model can.

    `encoding` is how the numbers travel: `base64` is a quarter of the bytes, and not every server has it. The
    vectors are the same, and an answer is read in whichever the server chose.
    """

    inputs: tuple[str, ...]
    dimensions: int | None = None
    encoding: Literal["float", "base64"] = "float"
    batch_size: int = 64
    """The most texts that one request carries."""

    if TYPE_CHECKING:  # a list is as good as a tuple: it is copied

        def __init__(
            self,
            inputs: Sequence[str],
            dimensions: int | None = None,
            encoding: Literal["float", "base64"] = "float",
            batch_size: int = 64,
        ) -> None: ...

    def __post_init__(self) -> None:
        """Raises `UsageError` for inputs that are none."""
        if isinstance(self.inputs, str) or not all(isinstance(text, str) for text in self.inputs):
            raise UsageError('inputs is a list of texts such as ["Hello"]')
        object.__setattr__(self, "inputs", tuple(self.inputs))
        if not self.inputs:
            raise UsageError("there is nothing to embed")
        if not all(self.inputs):
            raise UsageError("an empty text has no embedding, and servers refuse it")
        if self.batch_size < 1 or (self.dimensions is not None and self.dimensions < 1):
            raise UsageError("batch_size and dimensions are at least 1")

    def batches(self) -> Iterator[Sequence[str]]:
        """The inputs in order, as many at a time as one request carries."""
        for start in range(0, len(self.inputs), self.batch_size):
            yield self.inputs[start : start + self.batch_size]


@dataclass(frozen=True, slots=True)
class EmbeddingResult:
    """One vector an input, in the order of the inputs, all of one length and from one model."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage
    returned_model: str | None
    model: str = ""
    """The catalog id."""
    provider: str = ""
    upstream_model: str = ""
    usd: str | None = None
    latency_ms: float | None = None
    attempts: tuple[UsageRow, ...] = ()

    @property
    def dimensions(self) -> int:
        """The length of each vector."""
        return len(self.vectors[0])

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `aldo embed --json`, without the decision."""
        return {
            "vectors": [list(vector) for vector in self.vectors],
            "dimensions": self.dimensions,
            "usage": self.usage.to_dict(),
            "model": self.model,
            "provider": self.provider,
            "upstreamModel": self.upstream_model,
            "returnedModel": self.returned_model,
            "usd": self.usd,
            "latencyMs": self.latency_ms,
            "attempts": [{"model": row.model, "outcome": row.outcome} for row in self.attempts],
        }
