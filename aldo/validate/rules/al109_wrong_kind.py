"""The document is something other than a model catalog."""

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
    bad="""\
apiVersion: apps/v1
kind: Deployment
""",
    good="""\
apiVersion: aldo/models.v1
kind: ModelCatalog
models:
  - id: qwen
    provider: mlx
    providerKind: mlx
    locality: local
    capabilityClass: local-reasoning
    provides: [streaming]
    privacyAllowed: [public, internal, sensitive]
    effectiveContextTokens: 32768
    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
""",
)
