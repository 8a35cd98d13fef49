"""A pytest plugin for `bench.mutation`: few examples of each property, none made smaller, and the quick tests first.

What runs in a process of its own is skipped: nobody could tell which functions it reaches.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = 15
FEW: dict[str, Any] = {
    "derandomize": True,
    "database": None,
    "deadline": None,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}


def pytest_configure(config: pytest.Config) -> None:
    """Whole functions instead of thousands of their cases, whose names pytest does not always find again."""
    config.args[:] = dict.fromkeys(argument.partition("[")[0] for argument in config.args)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The number of examples that a test asks for is an upper bound here."""
    for item in items:
        test: Any = getattr(item, "function", None)
        if hasattr(test, "hypothesis"):
            asked = getattr(test, "_hypothesis_internal_use_settings", None) or settings()
            few = settings(asked, max_examples=min(asked.max_examples, EXAMPLES), **FEW)
            test._hypothesis_internal_use_settings = few
    durations = _durations()
    items.sort(key=lambda item: durations.get(item.nodeid, 0))


def _durations() -> dict[str, float]:
    """What mutmut has measured, once it has."""
    try:
        found: dict[str, float] = json.loads(Path("mutmut-stats.json").read_text("utf-8"))["duration_by_test"]
    except FileNotFoundError:
        return {}
    return found


def _elsewhere(*_: object, **__: object) -> NoReturn:
    pytest.skip("in a process of its own")


@pytest.fixture(autouse=True, scope="session")
def _in_this_process() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", _elsewhere)
        yield
