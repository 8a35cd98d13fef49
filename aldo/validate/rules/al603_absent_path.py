"""An overlay takes away what is not there."""

from aldo.validate.example import OVERLAY, WITH_CLOUD
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL603",
    name="absent-path",
    severity="error",
    summary="An overlay takes away what is not there.",
    explanation="""\
`$unset` names a field that the layers below do not set, or `$remove` an item that the list does not hold. Either it
was misspelt, so that what should go stays, or the layers below have changed.
""",
    base=WITH_CLOUD,
    bad=OVERLAY + "override:\n  frontier:\n    provides: { $add: [tool-use], $remove: [vison] }\n",
    good=OVERLAY + "override:\n  frontier:\n    provides: { $add: [tool-use], $remove: [vision] }\n",
)
