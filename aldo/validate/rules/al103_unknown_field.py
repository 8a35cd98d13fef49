"""A field that does not exist, often a misspelt one."""

from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL103",
    name="unknown-field",
    severity="error",
    summary="A field that does not exist, often a misspelt one.",
    explanation="""\
Unknown fields are errors because a misspelt field is otherwise a setting that silently has no effect.
Fields are written in camelCase. Merge keys (`<<`) are YAML 1.1 and not part of a catalog.
""",
    bad=changed("locality:", "localty:"),
    good=MINIMAL,
)
