"""The extras of the package: whether their libraries are here, told before any work is done."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from aldo.errors import UsageError

_LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "eval": ("numpy", "scipy", "re2", "tqdm"),
    "serve": ("aiohttp", "httptools", "prometheus_client", "starlette", "uvicorn"),
}


def missing_of(extra: str) -> str | None:
    """A library of the extra that is not installed."""
    return next((name for name in _LIBRARIES[extra] if find_spec(name) is None), None)


def check_extra(extra: str) -> None:
    """Raises `UsageError` where a library of the extra is missing."""
    missing = missing_of(extra)
    if missing is not None:
        raise UsageError(f"this needs the extra `{extra}` ({missing}): pip install 'aldo-gateway[{extra}]'")
