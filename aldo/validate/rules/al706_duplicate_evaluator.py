"""Two evaluators of a suite have one name."""

from aldo.validate.example import EVALUATOR, SUITE, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL706",
    name="duplicate-evaluator",
    severity="error",
    summary="Two evaluators of a suite have one name.",
    explanation="""\
Scores and thresholds go by the name of the evaluator, so two of one name cannot be told apart.
""",
    bad=changed(EVALUATOR, EVALUATOR + EVALUATOR.replace("contains", "exact"), SUITE),
    good=changed(EVALUATOR, EVALUATOR + EVALUATOR.replace("says-it", "is-it").replace("contains", "exact"), SUITE),
)
