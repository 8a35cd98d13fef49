"""An output limit above the context."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import MINIMAL
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        most = entry.tokens("maxOutputTokens")
        context = entry.context if most else None
        if most is not None and context is not None and most > context[1]:
            yield Defect(
                entry.at("maxOutputTokens"),
                f"an answer of {most} tokens does not fit: {context[0]} is {context[1]}",
                "correct one of the two",
                related=((entry.at(context[0]), "the context"),),
            )


RULE = Rule(
    code="AL406",
    name="output-above-context",
    severity="warning",
    summary="maxOutputTokens is larger than the context.",
    explanation="""\
Prompt and answer share the context, so an answer of that length never fits. One of the two numbers is
wrong.
""",
    bad=MINIMAL + "    maxOutputTokens: 65536\n",
    good=MINIMAL + "    maxOutputTokens: 8192\n",
    check=check,
)
