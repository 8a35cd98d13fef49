"""What an overlay sets has no effect, because a later one sets it again."""

from aldo.validate.example import MINIMAL, OVERLAY
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL609",
    name="shadowed",
    severity="info",
    summary="What an overlay sets has no effect, because a later one sets it again.",
    explanation="""\
That may be meant: a team's overlay over the company's. Where it is not, the order of the layers is wrong, or one of
the two should go. `aldo catalog explain ID` shows the whole chain of every value.
""",
    base=MINIMAL,
    above=OVERLAY + "override:\n  qwen:\n    description: small\n",
    bad=OVERLAY + "override:\n  qwen:\n    description: fast\n",
    good=OVERLAY + "override:\n  qwen:\n    source: https://example.org\n",
)
