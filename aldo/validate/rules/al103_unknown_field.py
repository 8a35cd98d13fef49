"""A field that does not exist, often a misspelt one."""

from aldo.validate.rule import Rule

RULE = Rule(
    code="AL103",
    name="unknown-field",
    severity="error",
    summary="A field that does not exist, often a misspelt one.",
    explanation="""\
Unknown fields are errors because a misspelt field is otherwise a setting that silently has no effect.
Fields are written in camelCase. Merge keys (`<<`) are YAML 1.1 and not part of a catalog.
""",
    bad="""\
apiVersion: aldo/models.v1
kind: ModelCatalog
models:
  - id: qwen
    provider: mlx
    providerKind: mlx
    capabilityClass: local-reasoning
    provides: [streaming]
    privacyAllowed: [public, internal, sensitive]
    effectiveContextTokens: 32768
    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
    localty: local
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
