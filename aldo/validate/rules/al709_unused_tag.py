"""An evaluator is for cases with a tag that no case has."""

from aldo.validate.example import SUITE, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL709",
    name="unused-tag",
    severity="error",
    summary="An evaluator is for cases with a tag that no case has.",
    explanation="""\
With `tags` an evaluator looks only at cases that have one of them. A tag that no case has is most often misspelt, and
the evaluator then looks at fewer cases than it was meant for, or at none: its threshold would be passed by nothing.
""",
    bad=changed("type: contains }", "type: contains, tags: [europa] }", SUITE),
    good=changed("type: contains }", "type: contains, tags: [europe] }", SUITE),
)
