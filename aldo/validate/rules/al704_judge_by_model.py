"""A judge is chosen by naming a model, not a class."""

from aldo.validate.example import WITH_JUDGE, changed
from aldo.validate.rule import Rule

RULE = Rule(
    code="AL704",
    name="judge-by-model",
    severity="error",
    summary="A judge is chosen by naming a model, not a class.",
    explanation="""\
A judge is routed as every other request is: by its `capability_class`, and under the privacy tier of the agent, so that
answers to sensitive cases go to no model that may not see them. A model named in the suite would go past that. Which
models a class has is for the catalog to say.
""",
    bad=changed("capability_class: reasoning-medium", "model: some-large-model", WITH_JUDGE),
    good=WITH_JUDGE,
)
