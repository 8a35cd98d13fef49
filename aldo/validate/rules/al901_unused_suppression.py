"""A comment that ignores nothing."""

from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL901",
    name="unused-suppression",
    severity="warning",
    summary="A comment ignores a finding that is not there.",
    explanation="""\
The defect was mended or never there. The comment would hide it when it comes back, so remove it. Codes that
this run does not apply are not told of.
""",
    bad=changed("id: qwen", "id: qwen   # aldo: ignore[AL301] no longer true"),
    good=MINIMAL,
)
