"""Provider kinds as data: one JSON file a kind, so that a new kind is a new file and not a new branch.

Each says where its servers listen by default, what they ignore and cannot serve, and the JSON Schema of
`providerConfig.extra`, in which `x-wireField` names the request field that a knob becomes and
`x-launchFlag` the server option that it stands for.
"""

from __future__ import annotations

import json
from functools import cache, cached_property
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


class KindData:
    """The facts of one provider kind."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.kind: str = data["kind"]
        self.wire_model: str | None = data.get("wireModel")
        self.cannot_serve: dict[str, str] = data["cannotServe"]
        """Capability tag (or class) that servers of this kind cannot serve, and why."""
        self.ignored_fields: frozenset[str] = frozenset(data["ignoredFields"])
        self.extra_schema: dict[str, Any] = data["extra"]
        self._providers: dict[str, dict[str, str]] = data["providers"]

    def default_base_url(self, provider: str) -> str | None:
        """Where a server of this provider listens when nothing else is said."""
        return self._providers.get(provider, {}).get("baseUrl")

    def base_url_env(self, provider: str) -> str | None:
        """The environment variable that overrides the base URL at run time."""
        return self._providers.get(provider, {}).get("baseUrlEnv")

    @cached_property
    def knobs(self) -> dict[str, dict[str, Any]]:
        """What `providerConfig.extra` may hold: knob → its JSON Schema."""
        knobs: dict[str, dict[str, Any]] = self.extra_schema.get("properties", {})
        return knobs

    @cached_property
    def launch_flags(self) -> dict[str, str]:
        """Knob of `extra` → option of the server's command line, for those that no request can set."""
        return {name: knob["x-launchFlag"] for name, knob in self.knobs.items() if "x-launchFlag" in knob}

    @property
    def wire_fields(self) -> dict[str, str]:
        """Knob of `extra` → request field, for the knobs that travel with a request."""
        return {name: knob["x-wireField"] for name, knob in self.knobs.items() if "x-wireField" in knob}


@cache
def shipped_kinds() -> frozenset[str]:
    """The kinds that have a file here."""
    return frozenset(file.stem for file in _HERE.glob("*.json"))


@cache
def kind_data(kind: str) -> KindData:
    """The facts of a kind that we ship. Raises `KeyError` for any other."""
    if kind not in shipped_kinds():
        raise KeyError(kind)
    return KindData(json.loads((_HERE / f"{kind}.json").read_text("utf-8")))


ENTRY_POINTS = "aldo.transports"
"""The group of entry points in which transports, ours and those of plugins, are found by their kind."""


@cache
def transport_kinds() -> frozenset[str]:
    """Every provider kind that something installed here can speak to."""
    from importlib.metadata import entry_points  # slow, and mostly not needed

    return frozenset(point.name for point in entry_points(group=ENTRY_POINTS))
