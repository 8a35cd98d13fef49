"""A price in another unit than USD per million tokens."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.entry import plain_number
from aldo.validate.example import WITH_CLOUD, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject

PER_TOKEN, PER_THOUSAND = 0.0002, 0.005


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        if entry.locality in (None, "local"):
            continue
        prices = {field: entry.price(field) for field in ("usdPerMtokIn", "usdPerMtokOut")}
        low = [(price, field) for field, price in prices.items() if price and price < PER_THOUSAND]
        if low:
            price, field = min(low)
            unit, factor = ("token", 10**6) if price < PER_TOKEN else ("thousand tokens", 10**3)
            yield Defect(
                entry.at("cost", field),
                f"{field} looks like a price per {unit}: {plain_number(price)} per million is next to nothing",
                f"prices are USD per million tokens; did you mean {plain_number(round(price * factor, 6))}?",
            )


RULE = Rule(
    code="AL402",
    name="price-unit",
    severity="warning",
    summary="A price so low that it looks like one per token or per thousand tokens.",
    explanation="""\
Prices are USD per million tokens (Mtok). Below 0.0002 a price is taken to be one per token, below 0.005 one per
thousand tokens. Only entries that are not local are looked at: at home a million tokens may cost less than
a cent.
""",
    bad=changed("usdPerMtokIn: 2, usdPerMtokOut: 10", "usdPerMtokIn: 0.000002, usdPerMtokOut: 0.00001", WITH_CLOUD),
    good=WITH_CLOUD,
    check=check,
)
