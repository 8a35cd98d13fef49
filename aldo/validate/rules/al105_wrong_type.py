"""A value of the wrong type, such as a text where a number belongs."""

from aldo.validate.rule import Rule

RULE = Rule(
    code="AL105",
    name="wrong-type",
    severity="error",
    summary="A value of the wrong type, such as a text where a number belongs.",
    explanation="""\
Values are not converted: `"32768"` in quotes is a text, and `yes` is a text in YAML 1.2.
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
    effectiveContextTokens: "32768"
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
