"""Two entries have the same id."""

from aldo.validate.example import ENTRY, MINIMAL
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL107",
    name="duplicate-id",
    severity="error",
    summary="Two entries have the same id.",
    explanation="""\
An id names one entry in requests, pins, health snapshots, overlays and usage rows.
""",
    bad=MINIMAL + ENTRY,
    good=MINIMAL,
)
