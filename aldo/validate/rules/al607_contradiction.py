"""An overlay says two things at once."""

from aldo.validate.example import MINIMAL, OVERLAY
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL607",
    name="contradiction",
    severity="error",
    summary="An overlay says two things at once.",
    explanation="""\
The same field is set and unset, an item is added and removed, or an id stands in two of `override`, `add` and
`remove`. The order in a file never matters, so neither can win: take one of the two away.
""",
    base=MINIMAL,
    bad=OVERLAY + "override:\n  qwen:\n    description: fast\n    $unset: [description]\n",
    good=OVERLAY + "override:\n  qwen:\n    description: fast\n",
)
