"""PyYAML's events, from libyaml where it was built with it. Nothing else of PyYAML is used for reading."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import yaml

# Without libyaml PyYAML is slower, but its parser gives the same events.
_Parser: Any = getattr(import_module("yaml.cyaml"), "CParser", None) if yaml.__with_libyaml__ else yaml.SafeLoader


def events(text: str) -> Iterator[Any]:
    """The events of a text. Raises `yaml.MarkedYAMLError` where it is no YAML."""
    return iter(_Parser(text).get_event, None)  # behind the last one there is None


@contextmanager
def without_garbage_collector() -> Iterator[None]:
    """Nothing built here is cyclic, and the collector would visit it all again and again (halves the time)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
