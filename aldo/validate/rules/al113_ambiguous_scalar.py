"""A plain scalar that YAML 1.1 reads otherwise."""

from aldo.validate.example import changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL113",
    name="ambiguous-scalar",
    severity="warning",
    summary="A plain scalar that YAML 1.1 and YAML 1.2 readers take for different values.",
    explanation="""\
`NO`, `22:30`, `017` and `1e3` are a text, a text, 17 and 1000 here, as in YAML 1.2. PyYAML and other YAML
1.1 readers make false, 1350, 15 and a text of them. The fix writes what we read in a way that every
reader takes for the same: texts in quotes, numbers without exponents and leading zeros.
""",
    bad=changed("provider: mlx", "provider: NO"),
    good=changed("provider: mlx", 'provider: "NO"'),
)
