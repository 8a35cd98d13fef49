"""A pattern of a regex evaluator is none."""

from aldo.validate.example import WITH_REGEX, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL707",
    name="bad-pattern",
    severity="error",
    summary="A pattern of a regex evaluator is none.",
    explanation="""\
Patterns are matched by RE2, in linear time, so that no pattern and no answer can keep a run from ending. RE2 has
neither look-around nor back-references (https://github.com/google/re2/wiki/Syntax): write the pattern without, or use a
script. Without an own `ref` the evaluator takes the ground truth of a case for its patterns, and the finding stands
there.
""",
    bad=changed('"^[A-Z]"', '"^(?=[A-Z])"', WITH_REGEX),
    good=WITH_REGEX,
)
