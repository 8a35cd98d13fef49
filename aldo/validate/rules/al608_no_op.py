"""An overlay says what is so already."""

from aldo.validate.example import MINIMAL, OVERLAY
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL608",
    name="no-op",
    severity="warning",
    summary="An overlay says what is so already.",
    explanation="""\
It has no effect now, and will hide a change of the layers below one day. Take it out; what is to be held against
such a change belongs under `expect`.
""",
    base=MINIMAL,
    bad=OVERLAY + "override:\n  qwen:\n    effectiveContextTokens: 32768\n    description: fast\n",
    good=OVERLAY + "override:\n  qwen:\n    description: fast\n",
)
