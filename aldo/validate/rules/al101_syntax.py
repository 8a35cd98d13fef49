"""The file is not valid YAML."""

from aldo.validate.rule import Rule

RULE = Rule(
    code="AL101",
    name="syntax",
    severity="error",
    summary="The file is not valid YAML.",
    explanation="""\
Reports what the parser found and where. When the error lies inside one entry of a list, that entry is
passed over and the rest of the file is still checked. YAML indents with spaces, never with tabs.
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
    provides: [streaming
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
