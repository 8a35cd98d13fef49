"""Decision records: as `aldo route --json` prints them, and computed once more to see whether they are the same."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

import click

from aldo.cli.failure import unread
from aldo.cli.terminal import fold
from aldo.errors import AldoError, InvalidRequestError, UsageError, printable
from aldo.router import route
from aldo.schema import Catalog, Decision
from aldo.schema.printed import dumps
from aldo.schema.request import RouteRequest, request_from_value

_SAME = "identical"
_UNREADABLE = "unreadable"


def decision_record(catalog: Catalog, decision: Decision, *, explain: bool) -> dict[str, Any]:
    """The JSON of a decision, with the provider that the router itself never sees."""
    update: dict[str, Any] = {"provider": catalog.by_id[decision.model].provider}
    if explain:
        update["trace"] = decision.explain()
    return decision.record().model_copy(update=update).to_dict()


def verified(catalog: Catalog, path: str, *, as_json: bool) -> int:
    """Tell of each record of a file whether this catalog gives it again.

    The exit code: 0 if all are byte-identical, 2 if one is no record at all, else 1.
    """
    with opened(path) as file:
        records = _records(file.read())
    if not records:
        raise UsageError(f"{path} holds no record; `aldo route --json` prints one")
    verdicts = [_verdict(catalog, record) for record in records]
    code = max(_CODES.get(verdict, 1) for verdict, _ in verdicts)
    with unread() as ending:
        ending.code = code
        _print(verdicts, as_json=as_json)
    return code


def _print(verdicts: list[tuple[str, str]], *, as_json: bool) -> None:
    if as_json:
        told = [{"record": n, "verdict": v, "detail": detail} for n, (v, detail) in enumerate(verdicts, start=1)]
        click.echo(dumps({"version": 1, "records": told}))
    else:
        _tell(verdicts)


def _tell(verdicts: list[tuple[str, str]]) -> None:
    """Each record; of many those alone that are not identical, and how many are."""
    for number, (verdict, detail) in enumerate(verdicts, start=1):
        if len(verdicts) <= _FEW or verdict != _SAME:
            where = f"record {number}: " if len(verdicts) > 1 else ""
            click.echo(fold(printable(f"{where}{verdict}: {detail}"), rest="  "))
    if len(verdicts) > _FEW:
        same = sum(verdict == _SAME for verdict, _ in verdicts)
        click.echo(f"{same:,} of {len(verdicts):,} records are identical")


_FEW = 20
_CODES = {_SAME: 0, _UNREADABLE: 2}


def _records(text: str) -> list[str]:
    """One record a line; a record that was laid out over several lines is one, too."""
    try:
        json.loads(text)
        return [text.removesuffix("\n")]
    except (ValueError, RecursionError):
        return [line for line in text.split("\n") if line.strip()]


def _verdict(catalog: Catalog, text: str) -> tuple[str, str]:
    """`identical`, `same decision` in other bytes, `differs`, `other catalog`, `refusal` or `unreadable`, and why."""
    try:
        logged = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return _UNREADABLE, "no JSON"
    if isinstance(logged, dict) and isinstance(logged.get("error"), dict):
        return "refusal", "a refusal carries no request that could be routed again"
    if not isinstance(logged, dict) or not {"request", "catalogDigest", "routingDigest"} <= set(logged):
        return _UNREADABLE, "no record of a decision: it has no request, catalogDigest and routingDigest"
    try:
        request = request_from_value(logged["request"])
    except InvalidRequestError as error:
        return _UNREADABLE, f"no record of a decision: its request is none: {error}"
    return _routed_again(catalog, request, logged, text)


def _routed_again(catalog: Catalog, request: RouteRequest, logged: dict[str, Any], text: str) -> tuple[str, str]:
    same_catalog = logged["catalogDigest"] == catalog.digest
    try:
        decision = route(catalog, request)
    except AldoError as error:
        return ("differs", f"now refused: {error}") if same_catalog else _other(catalog, logged)
    if not same_catalog and logged["routingDigest"] != decision.routing_digest:
        return _other(catalog, logged)
    again = decision_record(catalog, decision, explain="trace" in logged)
    if "provider" not in logged:  # the library's own record has none
        again.pop("provider")
    if text in (dumps(again), decision.to_json()):
        return _SAME, "the same bytes from the same request and catalog"
    return _compared(logged, json.loads(dumps(again), parse_float=Decimal))


def _other(catalog: Catalog, logged: dict[str, Any]) -> tuple[str, str]:
    made = f"it was made from the catalog {_short(logged['catalogDigest'])}"
    return "other catalog", f"{made}, and this one is {catalog.digest}; name that one with --catalog"


def _compared(logged: dict[str, Any], again: dict[str, Any]) -> tuple[str, str]:
    """In which fields two records differ. A catalog that differs beside the routing facts still routes alike."""
    fields = [name for name in {**again, **logged} if logged.get(name) != again.get(name)]
    if not fields:
        return "same decision", "written in other bytes than `aldo route --json` writes"
    told = [f"{name} was {_short(logged.get(name))}, is {_short(again.get(name))}" for name in fields]
    if "catalogDigest" in fields and set(fields) <= {"catalogDigest", "provider"}:
        elsewhere = "".join(f"; {one}" for one in told if one.startswith("provider"))
        return "same decision", f"from a catalog that differs in nothing that routing reads{elsewhere}"
    return "differs", "; ".join(told)


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."  # a digest fits


def opened(path: str) -> Any:
    """A file of JSON, or standard input; bytes that are no UTF-8 arrive as lone surrogates."""
    if not path:
        raise UsageError("no file is named: the name is empty")
    if path == "-" and sys.stdin is None:
        raise UsageError("standard input is closed")
    try:
        return click.open_file(path, encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
