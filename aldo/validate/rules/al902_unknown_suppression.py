"""A comment for aldo that cannot be followed."""

from aldo.validate.example import changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL902",
    name="unknown-suppression",
    severity="warning",
    summary="A comment names no rule, or one that cannot be ignored.",
    explanation="""\
The form is `# aldo: ignore[CODE] reason`, several codes separated by commas. It holds for its line, or on a line
of its own for the next one; where that line begins an entry, for the whole entry. Structural errors (AL1xx)
cannot be ignored, because the file would not load.
""",
    bad=changed("id: qwen", "id: qwen   # aldo: ignore[AL999] whatever"),
    good=changed("id: qwen", "id: qwen   # a comment like any other"),
)
