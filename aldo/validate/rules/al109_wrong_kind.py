"""The document is something other than a model catalog."""

from aldo.validate.example import MINIMAL
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL109",
    name="wrong-kind",
    severity="error",
    summary="The document is something other than a model catalog.",
    explanation="""\
A catalog is a mapping with `apiVersion: aldo/models.v1` and `kind: ModelCatalog`, or a bare list of
entries.
""",
    bad="apiVersion: apps/v1\nkind: Deployment\n",
    good=MINIMAL,
)
