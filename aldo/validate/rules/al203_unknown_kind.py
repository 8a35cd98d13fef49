"""A provider kind that no transport speaks to."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from aldo.schema.kinds import shipped_kinds, transport_kinds
from aldo.validate.example import MINIMAL, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        kind = entry.kind
        if kind is None or kind in shipped_kinds() or kind in transport_kinds():
            continue
        path = entry.at("providerKind")
        known = sorted(shipped_kinds() | transport_kinds())
        near = next(iter(get_close_matches(kind.lower(), known, n=1, cutoff=0.7)), None)
        hint = f"did you mean {near!r}?" if near else f"the kinds are {', '.join(known)}"
        fix = subject.replaced(path, near, f"write {near}") if near else None
        yield Defect(path, f"no transport for the provider kind {kind!r}", hint, fix=fix)


RULE = Rule(
    code="AL203",
    name="unknown-kind",
    severity="error",
    summary="No transport is installed for the provider kind.",
    explanation="""\
The entry would be chosen and then fail. Kinds come from the entry points `aldo.transports`; aldo brings
`mlx` and `openai-compat`, which fits Ollama, vLLM, llama.cpp, LM Studio and most cloud providers. A kind of
your own needs its package installed where the catalog is checked.
""",
    bad=changed("providerKind: mlx", "providerKind: mlxx"),
    good=MINIMAL,
    check=check,
)
