"""An overlay speaks of an entry that no layer below has."""

from aldo.validate.example import OVERLAY, WITH_CLOUD
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL601",
    name="absent-id",
    severity="error",
    summary="An overlay speaks of an entry that no layer below has.",
    explanation="""\
An override, removal or expectation of an id that is not there does nothing, and most often the id was misspelt
or the catalog below has renamed its entry. Correct the id, or take what is said of it away.
""",
    base=WITH_CLOUD,
    bad=OVERLAY + "remove: [fronteer]\n",
    good=OVERLAY + "remove: [frontier]\n",
)
