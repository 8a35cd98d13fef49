"""The schema of a json-schema evaluator is no JSON Schema."""

from aldo.validate.example import WITH_SCHEMA, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL710",
    name="bad-schema",
    severity="error",
    summary="The schema of a json-schema evaluator is no JSON Schema.",
    explanation="""\
Answers would be held against something that says nothing, or something else than it seems to. The schema stands in the
suite, or in a JSON file that `ref` names, relative to the suite. It is 2020-12 unless its `$schema` says otherwise, and
is whole in itself: nothing is fetched, so a `$ref` leads to a place inside it.
""",
    bad=changed("type: object", "type: objekt", WITH_SCHEMA),
    good=WITH_SCHEMA,
)
