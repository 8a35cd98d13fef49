"""A second document begins in the file."""

from aldo.validate.rule import Rule

RULE = Rule(
    code="AL110",
    name="many-documents",
    severity="error",
    summary="A second document begins in the file.",
    explanation="""\
Readers differ in which document of a file they take. One file holds one catalog.
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
    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
---
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
