"""An overlay gives a value another type."""

from aldo.validate.example import OVERLAY, configured
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL604",
    name="type-change",
    severity="error",
    summary="An overlay gives a value another type.",
    explanation="""\
A number becomes a text, or a list a map. Knobs under `providerConfig.extra` have no type of their own here, so the
layers below say what they are.
""",
    base=configured("{ extra: { quantization: q4 } }"),
    bad=OVERLAY + "override:\n  qwen:\n    providerConfig: { extra: { quantization: 4 } }\n",
    good=OVERLAY + "override:\n  qwen:\n    providerConfig: { extra: { quantization: q8 } }\n",
)
