"""An alias without an anchor, inside itself, or expanding without bound."""

from aldo.validate.rule import Rule

RULE = Rule(
    code="AL111",
    name="alias",
    severity="error",
    summary="An alias without an anchor, inside itself, or expanding without bound.",
    explanation="""\
Aliases may repeat a value (`&name`, `*name`). They may not be cyclic, and all together they may add at
most 100 000 values to what is written.
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
    provides: *tags
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
    provides: &tags [streaming]
    privacyAllowed: [public, internal, sensitive]
    effectiveContextTokens: 32768
    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
  - id: qwen-bf16
    provider: mlx
    providerKind: mlx
    locality: local
    capabilityClass: local-reasoning
    provides: *tags
    privacyAllowed: [public, internal, sensitive]
    effectiveContextTokens: 32768
    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
""",
)
