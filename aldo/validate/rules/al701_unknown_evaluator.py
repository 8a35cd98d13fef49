"""An evaluator of a type that nothing provides."""

from aldo.validate.example import SUITE, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL701",
    name="unknown-evaluator",
    severity="error",
    summary="An evaluator of a type that nothing provides.",
    explanation="""\
The types are contains, not-contains, regex, exact, json-schema, llm-judge and script, and those that installed
packages bring through the entry points `aldo.evaluators`. Where a suite names one of those, install its package
where the suite is checked, too.
""",
    bad=changed("type: contains", "type: contians", SUITE),
    good=SUITE,
)
