"""An alias without an anchor, inside itself, or expanding without bound."""

from aldo.validate.example import changed
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
    bad=changed("[streaming]", "*tags"),
    good=changed(
        "privacyAllowed: [public, internal, sensitive]",
        "privacyAllowed: *tiers",
        changed("privacyAllowed: [", "privacyAllowed: &tiers ["),
    ),
)
