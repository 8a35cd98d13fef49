"""The body of `POST /v1/embeddings`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from aldo.api.asked.base import Body, Integer
from aldo.schema.base import Name
from aldo.transport.embedding import EmbeddingRequest


def _texts(value: object) -> object:
    """Raises for tokens: whose tokenizer made them only one model knows, and the router has not chosen yet."""
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, list) or (isinstance(item, int) and not isinstance(item, bool)) for item in items):
        raise PydanticCustomError(
            "tokens", "must be a text or a list of texts: token numbers mean something to one model alone"
        )
    return value


Texts = Annotated[str, Field(min_length=1)]


class EmbeddingBody(Body):
    """Texts to embed, in OpenAI's shape."""

    model: Name
    """A catalog id, which pins, or a capability class: `embeddings`."""
    input: Annotated[Texts | Annotated[list[Texts], Field(min_length=1)], BeforeValidator(_texts)]
    """A text or a list of them, none of them empty."""
    encoding_format: Literal["float", "base64"] | None = None
    """How the numbers are written. `base64` is little-endian numbers of 32 bits."""
    dimensions: Annotated[int, Field(ge=1, le=10**6), Integer] | None = None
    """Shorter vectors, where the model can."""
    user: str | None = None
    """Taken, and sent to no server."""

    def request(self) -> EmbeddingRequest:
        """The same for the transport. The numbers come as the server has them and are packed here."""
        inputs = (self.input,) if isinstance(self.input, str) else tuple(self.input)
        return EmbeddingRequest(inputs, self.dimensions)
