"""A key, a number or a tag that has no meaning in YAML's core schema."""

from aldo.validate.example import MINIMAL, changed
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
    bad=changed("32768", "!!int many"),
    good=MINIMAL,
)
