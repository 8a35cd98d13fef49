"""A key stands twice in one mapping."""

from aldo.validate.example import MINIMAL
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL102",
    name="duplicate-key",
    severity="error",
    summary="A key stands twice in one mapping.",
    explanation="""\
Most YAML readers keep the last value without a word, so the line that looks right may not be the one
in force. Keep one of the two. The first value is the one that further checks look at.
""",
    bad=MINIMAL + "    locality: local\n",
    good=MINIMAL,
)
