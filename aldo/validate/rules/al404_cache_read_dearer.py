"""Cached input dearer than fresh input."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.entry import plain_number
from aldo.validate.example import WITH_CLOUD, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        if "usdPerMtokCacheRead" not in entry.cost:
            continue
        read, fresh = entry.price("usdPerMtokCacheRead"), entry.price("usdPerMtokIn")
        if read is not None and fresh is not None and read > fresh:
            yield Defect(
                entry.at("cost", "usdPerMtokCacheRead"),
                f"cached input ({plain_number(read)}) is dearer than fresh input ({plain_number(fresh)})",
                "is this the price of writing the cache?",
                related=((entry.at("cost", "usdPerMtokIn"), "the price of fresh input"),),
            )


RULE = Rule(
    code="AL404",
    name="cache-read-dearer",
    severity="warning",
    summary="Reading the cache costs more than reading the prompt.",
    explanation="""\
A cache that costs more than no cache is a mistake in the price: often the price of writing the cache.
""",
    bad=changed("usdPerMtokOut: 10", "usdPerMtokOut: 10, usdPerMtokCacheRead: 2.5", WITH_CLOUD),
    good=changed("usdPerMtokOut: 10", "usdPerMtokOut: 10, usdPerMtokCacheRead: 0.2", WITH_CLOUD),
    check=check,
)
