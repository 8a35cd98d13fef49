"""Replay: whole logs of requests, priced and compared as columns, exactly as `route` would one by one.

The routing table of a catalog becomes three small tables (`tables`), `route` becomes one SQL statement over
them and the log (`statement` and what it is made of), and an engine of columns does the rest: DuckDB here
(`engine`, the only user of duckdb and pyarrow), or the one where the log lives, by way of `export`. What may
enter: values of `router` and `schema`, and SQL as text. Importing this room loads no engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aldo._lazy import Load, lazy_names

if TYPE_CHECKING:
    from aldo.replay.portable import export
    from aldo.replay.report import Changes, Report, Reroute
    from aldo.replay.run import replay

__all__ = ["Changes", "Report", "Reroute", "export", "replay"]

_HOMES = {
    "Changes": "report",
    "Report": "report",
    "Reroute": "report",
    "export": "portable",
    "replay": "run",
}

__getattr__: Load = lazy_names("aldo.replay", _HOMES)
