"""A field that every entry needs is missing."""

from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL104",
    name="missing-field",
    severity="error",
    summary="A field that every entry needs is missing.",
    explanation="""\
A missing price is never taken as 0: write 0 where use is free and leave an entry out until its price is
known. The frame points at the mapping that lacks the field.
""",
    bad=changed(", usdPerMtokOut: 0", ""),
    good=MINIMAL,
)
