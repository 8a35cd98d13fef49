"""The files that the rules' examples are made of: a bad example is one of these with a single thing changed.

The catalog: two models of one class, both open to every tier, and each the first choice of some request.
"""

HEADER = """\
apiVersion: aldo/models.v1
kind: ModelCatalog
models:
"""
ENTRY = """\
  - id: qwen
    provider: mlx
    providerKind: mlx
    locality: local
    capabilityClass: local-reasoning
    provides: [streaming, tool-use]
    privacyAllowed: [public, internal, sensitive]
    effectiveContextTokens: 32768
    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
"""
SECOND = """\
  - id: gemma
    provider: ollama
    providerKind: openai-compat
    locality: local
    capabilityClass: local-reasoning
    provides: [streaming]
    privacyAllowed: [public, internal, sensitive]
    effectiveContextTokens: 32768
    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }
"""
CLOUD = """\
  - id: frontier
    provider: openai
    providerKind: openai-compat
    locality: cloud
    capabilityClass: local-reasoning
    provides: [streaming, vision]
    privacyAllowed: [public, internal]
    effectiveContextTokens: 200000
    cost: { usdPerMtokIn: 2, usdPerMtokOut: 10 }
    providerConfig: { baseUrl: https://api.openai.com/v1, apiKeyEnv: OPENAI_API_KEY }
"""
OVERLAY = """\
apiVersion: aldo/models.v1
kind: ModelCatalogOverlay
"""
SUITE = """\
schema: aldo-ai/eval.v1
suite:
  name: capitals
  cases:
    - id: france
      input: Which city is the capital of France?
      ground_truth: Paris
      tags: [europe]
    - id: japan
      input: Which city is the capital of Japan?
      ground_truth: Tokyo
      tags: [asia]
  evaluators:
    - { name: says-it, type: contains }
  threshold: { says-it: 0.5 }
"""
"""Two cases and an evaluator, for the rules about suites."""

EVALUATOR = "    - { name: says-it, type: contains }\n"
_JUDGE = """\
    - name: useful
      type: llm-judge
      capability_class: reasoning-medium
      rubric: Does the answer name the right city?
      choices: { right: 1, wrong: 0 }
"""
WITH_JUDGE = SUITE.replace(EVALUATOR, EVALUATOR + _JUDGE)
WITH_REGEX = SUITE.replace(EVALUATOR, EVALUATOR + '    - { name: capital, type: regex, ref: "^[A-Z]" }\n')
WITH_SCHEMA = SUITE.replace(
    EVALUATOR, EVALUATOR + "    - { name: json, type: json-schema, schema: { type: object } }\n"
)
MINIMAL = HEADER + ENTRY + SECOND
WITH_CLOUD = MINIMAL + CLOUD


def changed(old: str, new: str, text: str = MINIMAL) -> str:
    """The example with one piece of text replaced, which must be there."""
    assert old in text, old
    return text.replace(old, new, 1)


def configured(config: str) -> str:
    """The example with a `providerConfig` in its first entry."""
    return changed("    provider: mlx\n", f"    provider: mlx\n    providerConfig: {config}\n")
