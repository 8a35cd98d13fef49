"""Decision records: as `aldo route --json` prints them, and computed once more to see whether they are the same."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

import click

from aldo.cli.terminal import fold
from aldo.errors import AldoError, InvalidRequestError, UsageError, printable
from aldo.router import route
from aldo.schema import Catalog, Decision
from aldo.schema.printed import dumps
from aldo.schema.request import request_from_value

_SAME = "identical"


def decision_record(catalog: Catalog, decision: Decision, *, explain: bool) -> dict[str, Any]:
    """The JSON of a decision, with the provider that the router itself never sees."""
    update: dict[str, Any] = {"provider": catalog.by_id[decision.model].provider}
    if explain:
        update["trace"] = decision.explain()
    return decision.record().model_copy(update=update).to_dict()


def verified(catalog: Catalog, path: str, *, as_json: bool) -> int:
    """Tell of each record of a file whether this catalog gives it again; 1 if one is not byte-identical."""
    worst = 0
    told = []
    with opened(path) as file:
        text = file.read()
    for number, line in enumerate(_records(text), start=1):
        verdict, detail = _verdict(catalog, line)
        worst = max(worst, 0 if verdict == _SAME else 1)
        told.append({"record": number, "verdict": verdict, "detail": detail})
    if not told:
        raise UsageError(f"{path} holds no record; `aldo route --json` prints one")
    if as_json:
        click.echo(dumps({"version": 1, "records": told}))
    else:
        for record in told:
            where = f"record {record['record']}: " if len(told) > 1 else ""
            detail = f": {record['detail']}" if record["detail"] else ""
            click.echo(fold(printable(f"{where}{record['verdict']}{detail}"), rest="  "))
    return worst


def _records(text: str) -> list[str]:
    """One record a line; a record that was laid out over several lines is one, too."""
    try:
        json.loads(text)
        return [text.removesuffix("\n")]
    except ValueError:
        return [line for line in text.split("\n") if line.strip()]


def _verdict(catalog: Catalog, text: str) -> tuple[str, str]:
    """`identical`, `same decision` in other bytes, `differs`, `other catalog` or `unreadable`, and why."""
    try:
        logged = json.loads(text, parse_float=Decimal)
        request = request_from_value(logged["request"])
        digest, routing = logged["catalogDigest"], logged["routingDigest"]
    except (ValueError, LookupError, TypeError, InvalidRequestError) as error:
        return "unreadable", f"no record of a decision: {error}"
    try:
        decision = route(catalog, request)
    except AldoError as error:
        return _other(catalog, digest) or ("differs", f"now refused: {error}")
    if digest != catalog.digest and routing != decision.routing_digest:
        return _other(catalog, digest) or ("differs", "")
    again = decision_record(catalog, decision, explain="trace" in logged)
    if "provider" not in logged:  # the library's own record has none
        again.pop("provider")
    if text in (dumps(again), decision.to_json()):
        return _SAME, "the same bytes from the same request and catalog"
    return _compared(logged, json.loads(dumps(again), parse_float=Decimal))


def _other(catalog: Catalog, digest: str) -> tuple[str, str] | None:
    if digest == catalog.digest:
        return None
    told = f"it was made from the catalog {digest}, and this one is {catalog.digest}; name that one with --catalog"
    return "other catalog", told


def _compared(logged: dict[str, Any], again: dict[str, Any]) -> tuple[str, str]:
    """In which fields two records differ. A catalog that differs beside the routing facts still routes alike."""
    fields = [name for name in {**again, **logged} if logged.get(name) != again.get(name)]
    if not fields:
        return "same decision", "written in other bytes than `aldo route --json` writes"
    if fields == ["catalogDigest"]:
        return "same decision", "from a catalog that differs in nothing that routing reads"
    return "differs", "; ".join(
        f"{name} was {_short(logged.get(name))}, is {_short(again.get(name))}" for name in fields
    )


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def opened(path: str) -> Any:
    """A file of JSON, or standard input; bytes that are no UTF-8 arrive as lone surrogates."""
    if path == "-" and sys.stdin is None:
        raise UsageError("standard input is closed")
    try:
        return click.open_file(path, encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
