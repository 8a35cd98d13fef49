"""A capability class is nearly a built-in one."""

from aldo.validate.example import WITH_JUDGE, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL711",
    name="near-class",
    severity="warning",
    summary="A capability class is nearly a built-in one.",
    explanation="""\
Said of the class of an agent, of its fallbacks and of the class of a judge. A class that is not built in is fine where
the catalog declares it, but one letter away from a built-in one it was most often meant for that, and no model would be
found for it.
""",
    bad=changed("reasoning-medium", "reasoning-medum", WITH_JUDGE),
    good=WITH_JUDGE,
)
