"""The headers that say what routing must know: `X-Aldo-Privacy`, `-Requires`, `-Budget-Usd` and `-Fallback`."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from aldo.api.faults import RequestFault
from aldo.errors import InvalidRequestError
from aldo.schema.request import RouteRequest, request_from_value
from aldo.schema.vocabulary import PRIVACY_TIERS, PrivacyTier

PREFIX = b"x-aldo-"
PRIVACY, REQUIRES, BUDGET, FALLBACK = (PREFIX + name for name in (b"privacy", b"requires", b"budget-usd", b"fallback"))
_KNOWN = (PRIVACY, REQUIRES, BUDGET, FALLBACK)
_FIELDS = {"privacy": PRIVACY, "requires": REQUIRES, "budgetUsd": BUDGET, "fallbackClasses": FALLBACK}


def wishes(headers: Iterable[tuple[bytes, bytes]], default: PrivacyTier | None) -> dict[str, Any]:
    """The fields of a routing request (camelCase) that the headers say.

    Raises `RequestFault` where no tier is said and the operator set none, for a header that stands twice, and for a
    header of ours that nobody knows: a misspelt tier must not fall back to a default.
    """
    said: dict[bytes, str] = {}
    for name, value in headers:
        if name not in _KNOWN:
            if not _meant_for_us(name):
                continue
            near = get_close_matches(name.decode("latin-1"), [known.decode() for known in _KNOWN], n=1)
            hint = f"did you mean {titled(near[0].encode())}?" if near else f"known: {', '.join(map(titled, _KNOWN))}"
            raise RequestFault(f"unknown header {titled(name)}; {hint}", param=titled(name))
        if name in said:
            raise RequestFault(f"the header {titled(name)} stands twice", param=titled(name))
        said[name] = value.decode("latin-1").strip()
    fields: dict[str, Any] = {"privacy": _tier(said.get(PRIVACY), default)}
    for field, header in (("requires", REQUIRES), ("fallbackClasses", FALLBACK)):
        if header in said:
            fields[field] = _names(said[header], header)
    if BUDGET in said:
        fields["budgetUsd"] = said[BUDGET]
    return fields


def asked(fields: dict[str, Any], needs: Iterable[str] = (), *, in_body: Iterable[str] = ()) -> RouteRequest:
    """The routing request. `needs` are capabilities that the request shows to need, said or not; `in_body` are the
    fields that the body says and not a header.

    Raises `RequestFault` for a value that makes no sense, naming its header or field.
    """
    needed = tuple(needs)
    if needed:
        fields = {**fields, "requires": list(dict.fromkeys((*fields.get("requires", ()), *needed)))}
    try:
        return request_from_value(fields)
    except InvalidRequestError as error:
        message = str(error)
        field = message.partition(":")[0].partition(".")[0]
        header = None if field in in_body else _FIELDS.get(field)
        raise RequestFault(message, param=titled(header) if header else field if field in in_body else None) from None


def _meant_for_us(name: bytes) -> bool:
    """`x_aldo_privacy`, `aldo-privacy` and the like: who writes that believes to have said a tier."""
    return b"aldo" in name and name.translate(None, b"-_.").removeprefix(b"x").startswith(b"aldo")


def titled(header: bytes) -> str:
    """As it is written in documents."""
    return header.decode("latin-1").title()


def _tier(said: str | None, default: PrivacyTier | None) -> str:
    tier = said if said is not None else default
    if tier is None:
        raise RequestFault(
            f"say what may leave the machine: {titled(PRIVACY)}: {', '.join(PRIVACY_TIERS[:-1])} or "
            f"{PRIVACY_TIERS[-1]}; the operator set no default",
            code="privacy_missing",
            param=titled(PRIVACY),
        )
    if tier not in PRIVACY_TIERS:
        near = get_close_matches(tier.lower(), PRIVACY_TIERS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise RequestFault(f"{titled(PRIVACY)} must be one of {', '.join(PRIVACY_TIERS)}{hint}", param=titled(PRIVACY))
    return tier


def _names(value: str, header: bytes) -> list[str]:
    names = [name.strip() for name in value.split(",")]
    if not all(names):
        raise RequestFault(f"{titled(header)} holds an empty name; separate names by commas", param=titled(header))
    return names
