"""A context tag that the context contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aldo.validate.example import changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject

_TAG = re.compile(r"([1-9][0-9]{0,5})([km])-context")
_UNIT = {"k": 1_000, "m": 1_000_000}


def check(subject: Subject) -> Iterator[Defect]:
    for entry, number, tag in subject.tags():
        match = _TAG.fullmatch(tag) if tag.endswith("-context") else None
        context = entry.context if match else None
        if match is None or context is None:
            continue
        promised = int(match[1]) * _UNIT[match[2]]
        field, tokens = context
        if tokens < promised:
            path = entry.at("provides", number)
            yield Defect(
                path,
                f"{tag} promises {promised} tokens, but {field} is {tokens}",
                f"remove {tag}, or correct the context",
                fix=subject.without_item(path, f"remove {tag}"),
                related=((entry.at(field), "the context"),),
            )


RULE = Rule(
    code="AL405",
    name="context-tag",
    severity="warning",
    summary="The entry provides a context tag, but its context is smaller.",
    explanation="""\
A request that requires `128k-context` counts on at least 128000 tokens. Routing compares with the lesser of
`effectiveContextTokens` and `servedContextTokens`, so the tag promises what no request can have.
""",
    bad=changed("[streaming, tool-use]", "[streaming, tool-use, 128k-context]"),
    good=changed("[streaming, tool-use]", "[streaming, tool-use, 32k-context]"),
    check=check,
)
