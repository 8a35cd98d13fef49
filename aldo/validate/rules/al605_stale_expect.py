"""The layers below no longer say what an overlay expects."""

from aldo.validate.example import MINIMAL, OVERLAY
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL605",
    name="stale-expect",
    severity="error",
    summary="The layers below no longer say what an overlay expects.",
    explanation="""\
Under `expect` an overlay says what it takes for granted, such as the price that it lowers. The catalog below has
changed since: see whether the overlay is still right, then correct what it expects.
""",
    base=MINIMAL,
    bad=OVERLAY + "expect: { qwen: { effectiveContextTokens: 16384 } }\n",
    good=OVERLAY + "expect: { qwen: { effectiveContextTokens: 32768 } }\n",
)
