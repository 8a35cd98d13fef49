"""The catalog that the rules' examples are made of: a bad example is this one with a single thing changed."""

MINIMAL = """\
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
"""

ENTRY = MINIMAL[MINIMAL.index("  - id") :]


def changed(old: str, new: str, text: str = MINIMAL) -> str:
    """The example with one piece of text replaced, which must be there."""
    assert old in text, old
    return text.replace(old, new, 1)
