"""A value outside what the field allows."""

from aldo.validate.rule import Rule

RULE = Rule(
    code="AL106",
    name="wrong-value",
    severity="error",
    summary="A value outside what the field allows.",
    explanation="""\
For example a locality other than local, on-prem and cloud, a negative price, a price with more than six
decimal places, an empty list of capabilities, a context of 0 tokens, a date that does not exist.
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
    cost: { usdPerMtokIn: -1, usdPerMtokOut: 0 }
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
