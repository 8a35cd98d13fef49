"""A price of zero on a cloud entry."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import WITH_CLOUD, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        if entry.locality != "cloud":
            continue
        free_in = entry.price("usdPerMtokIn") == 0
        free_out = entry.price("usdPerMtokOut") == 0
        if free_in and (free_out or entry.embeds):
            yield Defect(entry.at("cost"), f"{entry.name} is in the cloud and costs nothing", _HINT)
        elif free_in or (free_out and not entry.embeds):
            field = "usdPerMtokIn" if free_in else "usdPerMtokOut"
            yield Defect(entry.at("cost", field), f"{field} of the cloud entry {entry.name} is 0", _HINT)


_HINT = "write the price; a price that is not known is not 0"


RULE = Rule(
    code="AL401",
    name="free-cloud",
    severity="warning",
    summary="A cloud entry costs nothing.",
    explanation="""\
A price that is not known is often written as 0. The router prefers what is cheap, so the entry would be
chosen before all others of its locality, and no budget would stop it. Output that costs nothing is normal
for embeddings. Where the model really is free, ignore the rule on the entry and say why.
""",
    bad=changed("{ usdPerMtokIn: 2, usdPerMtokOut: 10 }", "{ usdPerMtokIn: 0, usdPerMtokOut: 0 }", WITH_CLOUD),
    good=WITH_CLOUD,
    check=check,
)
