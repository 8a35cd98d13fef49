"""A key stands twice in one mapping."""

from aldo.validate.rule import Rule

RULE = Rule(
    code="AL102",
    name="duplicate-key",
    severity="error",
    summary="A key stands twice in one mapping.",
    explanation="""\
Most YAML readers keep the last value without a word, so the line that looks right may not be the one
in force. Keep one of the two. The first value is the one that further checks look at.
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
    locality: local
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
