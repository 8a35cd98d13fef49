"""Sums of usage logs: by model, class, day and more. DuckDB reads large logs where it is installed, else plain Python.

Both give the same sums to the last digit of a cent's part.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

from aldo.errors import UsageError
from aldo.schema.decimals import pico_usd, usd_text

By = Literal["model", "class", "day", "provider", "privacy", "outcome"]
KEYS: tuple[By, ...] = get_args(By)

_COLUMNS: dict[str, str] = {"model": "model", "class": "capabilityClass", "provider": "provider",
                            "privacy": "privacy", "outcome": "outcome"}  # fmt: skip
_TEXTS = ("at", "model", "capabilityClass", "provider", "privacy", "outcome")
_COUNTS = ("tokensIn", "tokensOut", "cacheReadTokens")
_MOST_TOKENS = 10**15
_AT = r"\d{4}-\d{2}-\d{2}T[0-9:.]+Z"
_USD = r"\d{1,12}(\.\d{1,12})?"
_LARGE = 8_000_000  # bytes; loading DuckDB takes as long as summing so much in Python
_SHOWN_BAD_LINES = 20


@dataclass(slots=True)
class Sum:
    """What all requests of one group took. USD at list price."""

    key: tuple[str, ...]
    requests: int = 0
    failed: int = 0
    """Those whose outcome is not `ok`."""
    tokens_in: int = 0
    tokens_out: int = 0
    cache_read_tokens: int = 0
    pico_usd: int = 0
    unpriced: int = 0
    """Answered ones whose server did not say how much they took: the sum is a lower bound."""

    @property
    def usd(self) -> str:
        """An exact decimal text."""
        return usd_text(self.pico_usd)

    def to_dict(self, by: Sequence[By]) -> dict[str, Any]:
        """As in `aldo usage --json`."""
        return {
            **dict(zip(by, self.key, strict=True)),
            "requests": self.requests,
            "failed": self.failed,
            "tokensIn": self.tokens_in,
            "tokensOut": self.tokens_out,
            "cacheReadTokens": self.cache_read_tokens,
            "usd": self.usd,
            "unpriced": self.unpriced,
        }


@dataclass(frozen=True, slots=True)
class UsageSums:
    """The groups in order of their keys, and the lines that are no usage rows."""

    by: tuple[By, ...]
    sums: tuple[Sum, ...]
    bad: tuple[tuple[str, int], ...] = field(default=())
    """File and line of the first of them."""
    bad_count: int = 0


def sum_usage(files: Sequence[str], by: Sequence[By] = ("model",), *, engine: str | None = None) -> UsageSums:
    """The sums of all rows of the files, grouped. `engine`: `duckdb` or `python`; by default what is quicker.

    `-` is standard input. A last line without an end is still being written, or its writer was killed: it does not
    count.
    Raises `UsageError` where a file cannot be read, or a key is none.
    """
    for key in by:
        if key not in KEYS:
            raise UsageError(f"cannot group by {key!r}; there are {', '.join(KEYS)}")
    sizes = [_size(file) for file in files if file != "-"]
    if "-" in files:
        engine = "python"  # standard input is read once, line by line
    if engine is None:
        engine = "duckdb" if sum(sizes) > _LARGE else "python"
    if engine == "duckdb":
        try:
            return _by_duckdb(files, tuple(by))
        except UsageError:  # not installed, or something in the files that only Python takes line by line
            pass
    return _by_python(files, tuple(by))


def _size(file: str) -> int:
    try:
        with Path(file).open("rb") as opened:
            return opened.seek(0, 2)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{file} cannot be read: {reason}") from None


def _by_python(files: Sequence[str], by: tuple[By, ...]) -> UsageSums:
    groups: dict[tuple[str, ...], Sum] = {}
    bad: list[tuple[str, int]] = []
    bad_count = 0
    for file in files:
        for number, line in _lines(file):
            row = _row(line)
            if row is None:
                bad_count += 1
                if len(bad) < _SHOWN_BAD_LINES:
                    bad.append((file, number))
                continue
            key = tuple(row["at"][:10] if one == "day" else row[_COLUMNS[one]] for one in by)
            _add(groups.setdefault(key, Sum(key)), row)
    return UsageSums(by, tuple(groups[key] for key in sorted(groups)), tuple(bad), bad_count)


def _lines(file: str) -> Iterator[tuple[int, bytes]]:
    with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as opened:
        for number, line in enumerate(opened, start=1):
            if line.endswith(b"\n") and line.strip():
                yield number, line


def _row(line: bytes) -> dict[str, Any] | None:
    """The row, or None for anything else. Fields that nobody knows are of a later version, and no defect."""
    try:
        row = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in _TEXTS):
        return None
    counts = [row.get(name) for name in _COUNTS]
    if not all(one is None or (type(one) is int and 0 <= one <= _MOST_TOKENS) for one in counts):
        return None
    usd = row.get("usd")
    if usd is not None and not (isinstance(usd, str) and re.fullmatch(_USD, usd, re.ASCII)):
        return None
    return row if re.fullmatch(_AT, row["at"], re.ASCII) else None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _add(group: Sum, row: dict[str, Any]) -> None:
    group.requests += 1
    group.failed += row["outcome"] != "ok"
    group.tokens_in += row.get("tokensIn") or 0
    group.tokens_out += row.get("tokensOut") or 0
    group.cache_read_tokens += row.get("cacheReadTokens") or 0
    if row.get("usd") is not None:
        group.pico_usd += pico_usd(Decimal(row["usd"]))
    elif row["outcome"] == "ok":
        group.unpriced += 1


# A row as `UsageRow.to_json` writes it, and nothing else: what both engines read alike, to the last letter.
_TEXT = r'"[^"\\\\\x00-\x1f\x7f]*"'
_COUNT = r"(?:0|[1-9][0-9]{0,14}|null)"
_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|null)"
_OPTIONAL = f"(?:{_TEXT}|null)"
_WRITTEN = {
    "at": rf'"{_AT}"', "provider": _TEXT, "model": _TEXT, "upstreamModel": _TEXT, "returnedModel": _OPTIONAL,
    "capabilityClass": _TEXT, "privacy": _TEXT, "tokensIn": _COUNT, "tokensOut": _COUNT, "cacheReadTokens": _COUNT,
    "usd": r'(?:"[0-9]{1,12}(?:\.[0-9]{1,12})?"|null)', "latencyMs": _NUMBER, "ttftMs": _NUMBER,
    "finishReason": _OPTIONAL, "outcome": _TEXT, "routingDigest": _TEXT,
}  # fmt: skip
_LINE = r"\{" + ", ".join(f'"{name}": {value}' for name, value in _WRITTEN.items()) + r"\}"


def _by_duckdb(files: Sequence[str], by: tuple[By, ...]) -> UsageSums:
    """Raises `UsageError` where DuckDB is not installed, and where a line is not just as aldo writes it: then Python
    judges."""
    from aldo.replay.engine import connected, quoted

    for file in files:
        if not _ends_with_a_line(file) or any(letter in file for letter in "*?["):  # which DuckDB takes for patterns
            raise UsageError(f"{file} is not for DuckDB")
    plainly = "hive_partitioning = false, compression = 'uncompressed'"
    # One column that nothing splits: a row holds no byte 1.
    lines = (
        f"read_csv({{}}, columns = {{{{'line': 'VARCHAR'}}}}, delim = chr(1), quote = '', escape = '', header = false,"
        f" auto_detect = false, max_line_size = 10000000, {plainly})"
    )
    kinds = {**dict.fromkeys((*_TEXTS, "usd"), "VARCHAR"), **dict.fromkeys(_COUNTS, "UBIGINT")}
    columns = ", ".join(f'"{name}": {quoted(kind)}' for name, kind in kinds.items())
    rows = f"read_json({{}}, format = 'newline_delimited', columns = {{{{{columns}}}}}, {plainly})"

    def all_of(reading: str) -> str:
        return " UNION ALL ".join(f"SELECT * FROM {reading.format(quoted(file))}" for file in files)

    keys = ['"at"[:10]' if one == "day" else f'"{_COLUMNS[one]}"' for one in by]
    sums = [
        "count(*)",
        "count(*) FILTER (outcome <> 'ok')",
        *(f'sum(coalesce("{name}", 0))' for name in _COUNTS),
        "coalesce(sum(CAST(usd AS DECIMAL(38, 12))), 0)",
        "count(*) FILTER (usd IS NULL AND outcome = 'ok')",
    ]
    with connected() as connection:
        odd = f"trim(line) <> '' AND NOT regexp_full_match(line, {quoted(_LINE)})"
        (count,) = connection.execute(f"SELECT count(*) FROM ({all_of(lines)}) WHERE {odd}").fetchone()
        if count:
            raise UsageError("there are lines that aldo did not write")
        grouped = f" GROUP BY {', '.join(str(place + 1) for place in range(len(keys)))}" if keys else ""
        found = connection.execute(f"SELECT {', '.join([*keys, *sums])} FROM ({all_of(rows)}){grouped}").fetchall()
    groups = [_from_row(row, len(by)) for row in found if row[len(by)]]
    return UsageSums(by, tuple(sorted(groups, key=lambda one: one.key)))


def _ends_with_a_line(file: str) -> bool:
    with Path(file).open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - 1))
        return opened.read() in (b"", b"\n")


def _from_row(row: tuple[Any, ...], width: int) -> Sum:
    requests, failed, tokens_in, tokens_out, cached, usd, unpriced = row[width:]
    return Sum(
        tuple(row[:width]), requests, failed, int(tokens_in), int(tokens_out), int(cached), pico_usd(usd), unpriced
    )


def total(sums: Iterable[Sum]) -> Sum:
    """All groups in one."""
    whole = Sum(())
    for one in sums:
        whole.requests += one.requests
        whole.failed += one.failed
        whole.tokens_in += one.tokens_in
        whole.tokens_out += one.tokens_out
        whole.cache_read_tokens += one.cache_read_tokens
        whole.pico_usd += one.pico_usd
        whole.unpriced += one.unpriced
    return whole
