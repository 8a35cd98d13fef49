"""An evaluator has nothing to compare the answer to a case with."""

from aldo.validate.example import SUITE, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL708",
    name="no-ground-truth",
    severity="error",
    summary="An evaluator has nothing to compare the answer to a case with.",
    explanation="""\
`contains`, `not-contains`, `exact` and `regex` compare an answer with their own `ref`, or else with the ground truth of
the case: a text, or a list of texts. Give the case one, the evaluator a `ref`, or `tags` so that it is for other cases
only.
""",
    bad=changed("      ground_truth: Tokyo\n", "", SUITE),
    good=SUITE,
)
