"""A field that every entry needs is missing."""

from aldo.validate.rule import Rule

RULE = Rule(
    code="AL104",
    name="missing-field",
    severity="error",
    summary="A field that every entry needs is missing.",
    explanation="""\
A missing price is never taken as 0: write 0 where use is free and leave an entry out until its price is
known. The frame points at the mapping that lacks the field.
""",
    bad="""\
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
    cost: { usdPerMtokIn: 0 }
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
