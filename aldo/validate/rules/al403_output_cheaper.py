"""Output cheaper than input."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.entry import plain_number
from aldo.validate.example import WITH_CLOUD, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        price_in, price_out = entry.price("usdPerMtokIn"), entry.price("usdPerMtokOut")
        if price_in is None or price_out is None or price_out >= price_in or entry.embeds:
            continue
        if price_out == 0 and entry.locality == "cloud":
            continue  # AL401
        yield Defect(
            entry.at("cost", "usdPerMtokOut"),
            f"output ({plain_number(price_out)}) is cheaper than input ({plain_number(price_in)})",
            "are the two swapped?",
            related=((entry.at("cost", "usdPerMtokIn"), "the price of input"),),
        )


RULE = Rule(
    code="AL403",
    name="output-cheaper",
    severity="warning",
    summary="Generated tokens cost less than prompt tokens.",
    explanation="""\
No provider sells a model that way; the two prices are probably swapped. Embeddings and rerankers, which
generate nothing, are passed over.
""",
    bad=changed("usdPerMtokIn: 2, usdPerMtokOut: 10", "usdPerMtokIn: 10, usdPerMtokOut: 2", WITH_CLOUD),
    good=WITH_CLOUD,
    check=check,
)
