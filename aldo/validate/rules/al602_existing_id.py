"""An overlay adds an entry whose id is there already."""

from aldo.validate.example import CLOUD, MINIMAL, OVERLAY, SECOND
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL602",
    name="existing-id",
    severity="error",
    summary="An overlay adds an entry whose id is there already.",
    explanation="""\
Whether the new entry was to take the place of the old one, or another id was meant, only the author knows. Change
the entry under `override`, or choose another id.
""",
    base=MINIMAL,
    bad=OVERLAY + "add:\n" + SECOND,
    good=OVERLAY + "add:\n" + CLOUD,
)
