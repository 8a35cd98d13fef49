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
    for entry in subject.entries:
        promised = [(number, tag) for number, tag in enumerate(entry.provides) if tag.endswith("-context")]
        context = entry.context if promised else None
        if context is None:
            continue
        field, tokens = context
        broken = [(number, tag) for number, tag in promised if _tokens(tag) > tokens]
        if broken:
            number, tag = broken[-1]
            path = entry.at("provides", number)
            tags = " and ".join(tag for _, tag in broken)
            yield Defect(
                path,
                f"{tag} promises {_tokens(tag)} tokens, but {field} is {tokens}",
                f"remove {tags}, or correct the context",
                fix=subject.without_item(path, f"remove {tag}"),
                related=((entry.at(field), "the context"),),
            )


def _tokens(tag: str) -> int:
    match = _TAG.fullmatch(tag)
    return int(match[1]) * _UNIT[match[2]] if match else 0


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
