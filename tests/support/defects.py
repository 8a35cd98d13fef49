"""A valid catalog of three entries, and defects that each break one line of one entry.

A defect replaces one line (`<` stands for one space too few) and keeps the number of lines, so defects of different entries can be put together
and every one of them still stands where it would stand alone.
"""

from __future__ import annotations

from dataclasses import dataclass

LINES = {
    "id": "id: {id}",
    "provider": "provider: p",
    "kind": "providerKind: openai-compat",
    "locality": "locality: local",
    "class": "capabilityClass: fast-draft",
    "provides": "provides: [streaming, tool-use]",
    "privacy": "privacyAllowed: [public, internal]",
    "context": "effectiveContextTokens: 100",
    "cost": "cost: {{ usdPerMtokIn: 0, usdPerMtokOut: 0.25 }}",
    "config": "providerConfig: {{ baseUrl: 'http://localhost:1', extra: {{ a: [1, {{b: null}}] }} }}",
    "description": "description: plain words",
}
FIELDS = list(LINES)
HEADER = "apiVersion: aldo/models.v1\nkind: ModelCatalog\nmodels:\n"
IDS = ("one", "two", "three")


@dataclass(frozen=True)
class Defect:
    """`line` stands instead of the line of `field`; the finding has this code, column and pointer below the entry."""

    name: str
    field: str
    line: str
    code: str
    at: str
    """The finding begins at the first of these letters of the new line; "entry" for the entry's first line."""
    pointer: str
    syntax: bool = False


def _wrong(field: str, line: str, code: str, at: str, pointer: str) -> Defect:
    return Defect(f"{line[:48]}", field, line, code, at, pointer)


STRUCTURE: tuple[Defect, ...] = (
    _wrong("provider", "providr: p", "AL103", "providr", "/providr"),
    _wrong("locality", "Locality: local", "AL103", "Locality", "/Locality"),
    _wrong("context", "effective_context_tokens: 100", "AL103", "effective", "/effective_context_tokens"),
    _wrong("description", "flavour: mint", "AL103", "flavour", "/flavour"),
    _wrong("description", "a/b~c: mint", "AL103", "a/b~c", "/a~1b~0c"),
    _wrong("cost", "cost: { usdPerMtokInn: 1, usdPerMtokOut: 1 }", "AL103", "usdPerMtokInn", "/cost/usdPerMtokInn"),
    _wrong("config", "providerConfig: { baseURL: x }", "AL103", "baseURL", "/providerConfig/baseURL"),
    _wrong("kind", "# gone", "AL104", "entry", ""),
    _wrong("cost", "# gone", "AL104", "entry", ""),
    _wrong("id", "# gone", "AL104", "entry", ""),
    _wrong("cost", "cost: { usdPerMtokIn: 1 }", "AL104", "{", "/cost"),
    _wrong("cost", "cost: 3", "AL105", "3", "/cost"),
    _wrong("cost", "cost:", "AL105", "", "/cost"),
    _wrong("cost", "cost: { usdPerMtokIn: , usdPerMtokOut: 1 }", "AL105", ",", "/cost/usdPerMtokIn"),
    _wrong("cost", "cost: { usdPerMtokIn: free, usdPerMtokOut: 1 }", "AL105", "free", "/cost/usdPerMtokIn"),
    _wrong("cost", "cost: { usdPerMtokIn: true, usdPerMtokOut: 1 }", "AL105", "true", "/cost/usdPerMtokIn"),
    _wrong("cost", "cost: { usdPerMtokIn: [1], usdPerMtokOut: 1 }", "AL105", "[1]", "/cost/usdPerMtokIn"),
    _wrong("cost", "cost: { usdPerMtokIn: -1, usdPerMtokOut: 1 }", "AL106", "-1", "/cost/usdPerMtokIn"),
    _wrong("cost", "cost: { usdPerMtokIn: 1, usdPerMtokOut: -0.000001 }", "AL106", "-0", "/cost/usdPerMtokOut"),
    _wrong("cost", "cost: { usdPerMtokIn: 0.0000001, usdPerMtokOut: 1 }", "AL106", "0.0", "/cost/usdPerMtokIn"),
    _wrong("cost", "cost: { usdPerMtokIn: 1e-7, usdPerMtokOut: 1 }", "AL106", "1e-7", "/cost/usdPerMtokIn"),
    _wrong("cost", "cost: { usdPerMtokIn: .nan, usdPerMtokOut: 1 }", "AL106", ".nan", "/cost/usdPerMtokIn"),
    _wrong("cost", "cost: { usdPerMtokIn: .inf, usdPerMtokOut: 1 }", "AL106", ".inf", "/cost/usdPerMtokIn"),
    _wrong("context", "effectiveContextTokens: many", "AL105", "many", "/effectiveContextTokens"),
    _wrong("context", "effectiveContextTokens: true", "AL105", "true", "/effectiveContextTokens"),
    _wrong("context", "effectiveContextTokens: 32_768", "AL105", "32_", "/effectiveContextTokens"),
    _wrong("context", "effectiveContextTokens: 0", "AL106", "0", "/effectiveContextTokens"),
    _wrong("context", "effectiveContextTokens: -5", "AL106", "-5", "/effectiveContextTokens"),
    _wrong("provides", "provides: streaming", "AL105", "streaming", "/provides"),
    _wrong("provides", "provides: [streaming, 3]", "AL105", "3", "/provides/1"),
    _wrong("provides", "provides: []", "AL106", "[]", "/provides"),
    _wrong("provides", "provides:", "AL105", "", "/provides"),
    _wrong("privacy", "privacyAllowed: []", "AL106", "[]", "/privacyAllowed"),
    _wrong("privacy", "privacyAllowed: [public, secret]", "AL106", "secret", "/privacyAllowed/1"),
    _wrong("privacy", "privacyAllowed: [Public]", "AL106", "Public", "/privacyAllowed/0"),
    _wrong("locality", "locality: moon", "AL106", "moon", "/locality"),
    _wrong("locality", "locality: LOCAL", "AL106", "LOCAL", "/locality"),
    _wrong("id", "id: 7", "AL105", "7", "/id"),
    _wrong("id", "id: ' '", "AL106", "' '", "/id"),
    _wrong("id", "id: ''", "AL106", "''", "/id"),
    _wrong("description", "enabled: yes", "AL105", "yes", "/enabled"),
    _wrong("description", "description: [x]", "AL105", "[x]", "/description"),
    _wrong("description", "asOf: 22.11.2026", "AL106", "22", "/asOf"),
    _wrong("description", "source: ftp://example.com", "AL106", "ftp", "/source"),
    _wrong("description", "latencyP95Ms: -1", "AL106", "-1", "/latencyP95Ms"),
    _wrong("description", "deprecation: { date: soon }", "AL106", "soon", "/deprecation/date"),
    _wrong("description", "deprecation: { replacement: two }", "AL104", "{", "/deprecation"),
    _wrong("description", "provider: again", "AL102", "provider", "/provider"),
    _wrong(
        "cost",
        "cost: { usdPerMtokIn: 1, usdPerMtokOut: 1, usdPerMtokIn: 2 }",
        "AL102",
        "usdPerMtokIn: 2",
        "/cost/usdPerMtokIn",
    ),
    _wrong("config", "providerConfig: { extra: { a: { b: 1, b: 2 } } }", "AL102", "b: 2", "/providerConfig/extra/a/b"),
    _wrong("description", "description: !local x", "AL112", "!local", "/description"),
)
SYNTAX: tuple[Defect, ...] = tuple(
    Defect(line, field, line, "AL101", "", "", syntax=True)
    for field, line in (
        ("provides", "provides: [streaming, tool-use"),
        ("cost", "cost: { usdPerMtokIn: 0, usdPerMtokOut: 0.25"),
        ("provider", "\tprovider: p"),
        ("provider", "  provider: p"),
        ("description", " description: x"),
        ("description", "<description: x"),
        ("context", "<effectiveContextTokens: 100"),
        ("locality", "locality: local: 1"),
        ("class", "capabilityClass: @draft"),
        ("class", "capabilityClass: 'fast' draft"),
        ("description", 'description: "\\q"'),
        ("description", "no colon here"),
    )
)
UNFINISHED = Defect("unfinished", "description", "description: 'unfinished", "AL101", "", "", syntax=True)
"""A quote that the next entry closes: the text breaks there, so no parser can tell where it should have ended."""


def catalog(defects: dict[int, tuple[Defect, ...]], *, bare: bool = False) -> str:
    """The text of the catalog with the defects in place, by entry."""
    indent = "" if bare else "  "
    lines = [] if bare else HEADER.splitlines()
    for number, name in enumerate(IDS):
        replaced = {defect.field: defect.line for defect in defects.get(number, ())}
        for field, line in LINES.items():
            text = replaced.get(field) or line.format(id=name)  # "{{" in a line is an escaped "{"
            lead = f"{indent}- " if field == "id" else f"{indent}  "
            lines.append(text if text[0] == "\t" else lead[:-1] + text[1:] if text[0] == "<" else lead + text)
    return "\n".join(lines) + "\n"


def line_of(number: int, field: str, *, bare: bool = False) -> int:
    """The line of a field of an entry, from 1."""
    return (0 if bare else HEADER.count("\n")) + number * len(LINES) + FIELDS.index(field) + 1
