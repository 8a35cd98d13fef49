"""A value of the wrong type, such as a text where a number belongs."""

from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL105",
    name="wrong-type",
    severity="error",
    summary="A value of the wrong type, such as a text where a number belongs.",
    explanation="""\
Values are not converted: `"32768"` in quotes is a text, and `yes` is a text in YAML 1.2.
""",
    bad=changed("32768", '"32768"'),
    good=MINIMAL,
)
