"""A value outside what the field allows."""

from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL106",
    name="wrong-value",
    severity="error",
    summary="A value outside what the field allows.",
    explanation="""\
For example a locality other than local, on-prem and cloud, a negative price, a price with more than six
decimal places, an empty list of capabilities, a context of 0 tokens, a date that does not exist.
""",
    bad=changed("usdPerMtokIn: 0", "usdPerMtokIn: -1"),
    good=MINIMAL,
)
