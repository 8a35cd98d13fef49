"""The MLX adapter: openai-compat, unchanged but for what mlx_lm.server does differently.

Those differences are data in `schema/kinds/mlx.json`: the name on the wire is `default_model` (any other
string makes the server unload its model and try to load that one), `samplerSeed` and `draftModel` travel
as `seed` and `draft_model`, health lives at `/health`, and `response_format` is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from aldo.errors import BadRequest, TransportError
from aldo.transport.openai_compat import OpenAICompatAdapter


class MlxAdapter(OpenAICompatAdapter):
    """A thin wrapper: the parsing of streams, tool calls and finish reasons is inherited."""

    kind: ClassVar[str] = "mlx"

    def error(self, status: int, headers: Mapping[str, str], body: bytes, url: str) -> TransportError:
        error = super().error(status, headers, body, url)
        # This server answers a list of messages that it cannot use with 404.
        if status == 404 and (b"chat template" in body or b"has no attribute" in body):
            return BadRequest(str(error.args[0]), said=error.said, status=status)
        return error
