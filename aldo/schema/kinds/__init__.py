"""Provider kinds as data: one JSON file a kind, so that a new kind is a new file and not a new branch.

Each says where its servers listen by default, what they ignore and cannot serve, and the JSON Schema of
`providerConfig.extra`, in which `x-wireField` names the request field that a knob becomes and
`x-launchFlag` the server option that it stands for.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any


class KindData:
    """The facts of one provider kind."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.kind: str = data["kind"]
        self.wire_model: str | None = data.get("wireModel")
        self.ignored_fields: frozenset[str] = frozenset(data["ignoredFields"])
        self.extra_schema: dict[str, Any] = data["extra"]
        self._providers: dict[str, dict[str, str]] = data["providers"]

    def default_base_url(self, provider: str) -> str | None:
        """Where a server of this provider listens when nothing else is said."""
        return self._providers.get(provider, {}).get("baseUrl")

    def base_url_env(self, provider: str) -> str | None:
        """The environment variable that overrides the base URL at run time."""
        return self._providers.get(provider, {}).get("baseUrlEnv")

    @property
    def wire_fields(self) -> dict[str, str]:
        """Knob of `extra` → request field, for the knobs that travel with a request."""
        knobs = self.extra_schema.get("properties", {})
        return {name: knob["x-wireField"] for name, knob in knobs.items() if "x-wireField" in knob}


@cache
def kind_data(kind: str) -> KindData:
    """The facts of a kind that we ship. Raises `KeyError` for any other."""
    file = resources.files(__name__) / f"{kind}.json"
    if not file.is_file():
        raise KeyError(kind)
    return KindData(json.loads(file.read_text("utf-8")))
