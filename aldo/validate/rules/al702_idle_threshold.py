"""A threshold for an evaluator that the suite does not have."""

from aldo.validate.example import SUITE, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL702",
    name="idle-threshold",
    severity="error",
    summary="A threshold for an evaluator that the suite does not have.",
    explanation="""\
A threshold is a gate, and one for nobody passes whatever the answers are. Most often the evaluator was renamed, or one
of the two names is misspelt.
""",
    bad=changed("threshold: { says-it:", "threshold: { says-this:", SUITE),
    good=SUITE,
)
