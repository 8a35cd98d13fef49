"""A key, a number or a tag that has no meaning in YAML's core schema."""

from aldo.validate.rule import Rule

RULE = Rule(
    code="AL112",
    name="scalar",
    severity="error",
    summary="A key, a number or a tag that has no meaning in YAML's core schema.",
    explanation="""\
Tags such as `!!python/object` are never acted on. Keys are plain names. Numbers have at most 400
characters.
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
    effectiveContextTokens: !!int many
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
