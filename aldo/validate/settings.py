"""`[tool.aldo.lint]` in pyproject.toml: what a project says once instead of on every command line."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from aldo.errors import UsageError

_TABLE = "[tool.aldo.lint]"


class Settings(NamedTuple):
    """What the table may hold. A command line option takes the place of the same setting."""

    files: tuple[str, ...] = ()
    """Files and patterns to check when none is named, from the directory of pyproject.toml."""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    strict: bool = False
    max_age: int | None = None
    """Days until `asOf` is stale."""
    output: tuple[str, ...] = ()
    """FORMAT=FILE, from the directory of pyproject.toml."""
    source: str = ""
    """The file they stand in, for messages."""


def find_settings(start: Path) -> Settings:
    """The settings of the nearest pyproject.toml at or above `start` that has the table."""
    for directory in (start, *start.parents):
        file = directory / "pyproject.toml"
        if file.is_file():
            table = _table(file)
            if table is not None:
                return _settings(table, file)
    return Settings()


def read_settings(file: Path) -> Settings:
    """The settings of one TOML file. Raises `UsageError` where it cannot be read or says what there is not."""
    if not file.is_file():
        raise UsageError(f"{file} is a directory, not a TOML file" if file.is_dir() else f"{file}: no such file")
    table = _table(file)
    if table is None:
        raise UsageError(f"{file} has no table {_TABLE}")
    return _settings(table, file)


def _table(file: Path) -> Mapping[str, Any] | None:
    try:
        data = file.read_bytes()
        if b"aldo" not in data:
            return None
        import tomllib  # most projects say nothing of aldo there

        content = tomllib.loads(data.decode("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    tool = content.get("tool", {})
    aldo = tool.get("aldo", {}) if isinstance(tool, dict) else {}
    if not isinstance(aldo, dict) or set(aldo) - {"lint"}:
        other = next(iter(set(aldo) - {"lint"}), "aldo") if isinstance(aldo, dict) else "aldo"
        raise UsageError(f"{file}: [tool.aldo] holds {other!r}; what there is is the table {_TABLE}")
    table = aldo.get("lint")
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{file}: {_TABLE} must be a table")
    return table


def _settings(table: Mapping[str, Any], file: Path) -> Settings:
    kinds = {"files": list, "select": list, "ignore": list, "strict": bool, "max-age": int, "output": list}
    for name, value in table.items():
        if name not in kinds:
            near = get_close_matches(name, kinds, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the settings are {', '.join(kinds)}"
            raise UsageError(f"{file}: {_TABLE} has no setting {name!r}; {hint}")
        kind = kinds[name]
        texts = kind is list and isinstance(value, list) and all(isinstance(item, str) for item in value)
        if not texts and (kind is list or type(value) is not kind):
            wanted = {list: "a list of texts", bool: "true or false", int: "a whole number"}[kind]
            raise UsageError(f"{file}: {_TABLE} {name} must be {wanted}")
    if table.get("max-age", 0) < 0:
        raise UsageError(f"{file}: {_TABLE} max-age must be 0 or more")
    here = file.parent
    return Settings(
        files=tuple(_file(here, name) for name in table.get("files", ())),
        select=tuple(table.get("select", ())),
        ignore=tuple(table.get("ignore", ())),
        strict=table.get("strict", False),
        max_age=table.get("max-age"),
        output=tuple(_from(here, output) for output in table.get("output", ())),
        source=f"{file}: {_TABLE}",
    )


def _file(here: Path, name: str) -> str:
    """A file or a pattern; the directory that it starts from is none."""
    return name if name == "-" or here == Path.cwd() else str(Path(glob.escape(str(here))) / name)


def _from(here: Path, output: str) -> str:
    form, equals, name = output.partition("=")
    return f"{form}={here / name}" if equals and name != "-" else output
