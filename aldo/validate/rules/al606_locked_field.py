"""An overlay widens a field that a layer below has locked."""

from aldo.validate.example import OVERLAY, WITH_CLOUD, changed
from aldo.validate.rule import Rule

_LOCKED = changed(
    "models:", "lock: [privacyAllowed]\nmodels:", changed("[public, internal]\n", "[public]\n", WITH_CLOUD)
)
_WIDER = OVERLAY + "override:\n  frontier:\n    privacyAllowed: { $add: [internal] }\n"

RULE = Rule(
    code="AL606",
    name="locked-field",
    severity="error",
    summary="An overlay widens a field that a layer below has locked.",
    explanation="""\
`lock` names the fields that must not be widened in passing, such as `privacyAllowed` and `locality`. To narrow them
is always allowed. Where the widening is meant, say why: `acknowledge: { ID: "reason" }` in the same overlay.
""",
    base=_LOCKED,
    bad=_WIDER,
    good=_WIDER + "acknowledge: { frontier: a contract covers it }\n",
)
