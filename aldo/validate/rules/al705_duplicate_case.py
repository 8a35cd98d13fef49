"""Two cases of a suite have one id."""

from aldo.validate.example import SUITE, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL705",
    name="duplicate-case",
    severity="error",
    summary="Two cases of a suite have one id.",
    explanation="""\
Answers are logged, resumed and compared by the id of their case, so two cases of one id would be taken for one. A case
without an id has its number, counted from 1, for an id.
""",
    bad=changed("id: japan", "id: france", SUITE),
    good=SUITE,
)
