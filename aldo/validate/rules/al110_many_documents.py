"""A second document begins in the file."""

from aldo.validate.example import MINIMAL
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL110",
    name="many-documents",
    severity="error",
    summary="A second document begins in the file.",
    explanation="""\
Readers differ in which document of a file they take. One file holds one catalog.
""",
    bad=MINIMAL + "---\n" + MINIMAL,
    good=MINIMAL,
)
