"""Print every row, or those of the rooms that are named, and keep them: ours, the baseline, the ratio, the target."""

from __future__ import annotations

import sys

from bench import evaluating, linting, loading, peers, proving, replaying, routing, startup, streaming
from bench.gateway import rows as gateways
from bench.measure import Row
from bench.record import keep


def _shown(amount: float, unit: str) -> str:
    return _time(amount) if unit == "s" else f"{amount:.0f} {unit}"


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f} x" if ratio >= 0.1 else f"1/{1 / ratio:,.0f} x"


def _line(row: Row | str) -> str:
    if isinstance(row, str):  # why a row is missing
        return f"  ({row})"
    figures = f"{_shown(row.ours, row.unit):>9}  {_ratio(row.ratio):>12} {_shown(row.baseline, row.unit):>9}"
    return f"{row.work:<40} {figures}  {row.baseline_name:<26} {row.target}"


ROOMS = {
    "startup": (startup.rows,),
    "peers": (peers.rows,),
    "loading": (loading.rows, loading.layer_rows),
    "linting": (linting.rows,),
    "routing": (routing.rows,),
    "proving": (proving.rows,),
    "replaying": (replaying.rows,),
    "streaming": (streaming.rows,),
    "evaluating": (evaluating.rows,),
    "gateway": (gateways.rows,),
}


if __name__ == "__main__":
    wanted = sys.argv[1:] or list(ROOMS)
    if unknown := set(wanted) - set(ROOMS):
        sys.exit(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
    for name in wanted:
        found: list[Row | str] = []
        for rows in ROOMS[name]:
            for row in rows():
                found.append(row)
                print(_line(row), flush=True)
        keep({name: found})
