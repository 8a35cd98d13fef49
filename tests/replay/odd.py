"""Rows of a log that are odd: wrong, empty, at a limit, or twice the same."""

from __future__ import annotations

from tests.replay.logs import Row

FINE: Row = {"capabilityClass": "fast-draft", "privacy": "public"}

ODD_ROWS: list[Row] = [
    FINE,
    {},
    {"capabilityClass": "fast-draft"},
    {"privacy": "public"},
    {"capabilityClass": "", "privacy": "public"},
    {"capabilityClass": "fast draft", "privacy": "public"},
    {"capabilityClass": "-draft", "privacy": "public"},
    {"capabilityClass": "x" * 200, "privacy": "public"},
    {"capabilityClass": "x" * 201, "privacy": "public"},
    {"capabilityClass": "fast-draft\n", "privacy": "public"},
    {"capabilityClass": "fäst-draft", "privacy": "public"},
    {"capabilityClass": "Fast-draft", "privacy": "public"},
    {"capabilityClass": "fast-draft", "privacy": "Public"},
    {"capabilityClass": "fast-draft", "privacy": ""},
    *(
        {**FINE, **change}
        for change in (
            {"fallbackClasses": ["fast-draft", "reasoning-small", "reasoning-small", "house-class", "fast-draft"]},
            {"fallbackClasses": ["embeddings", "nope"]},
            {"fallbackClasses": ["embeddings", None]},
            {"fallbackClasses": [None]},
            {"fallbackClasses": [""]},
            {"fallbackClasses": ["a,b"]},
            {"fallbackClasses": []},
            {"requires": ["tool-use", "tool-use"]},
            {"requires": ["nope"]},
            {"requires": ["no pe"]},
            {"requires": ["tool-use", None]},
            {"requires": ["nope"], "fallbackClasses": ["none"]},
            {"requires": ["nope"], "pin": "nobody"},
            {"tokensIn": 0},
            {"tokensIn": 0, "maxTokensOut": 0},
            {"tokensIn": -1},
            {"tokensIn": 10**12},
            {"tokensIn": 10**12 + 1},
            {"maxTokensOut": 10**12},
            {"maxTokensOut": -1},
            {"tokensIn": 2**63 - 1},
            {"budgetUsd": 0},
            {"budgetUsd": 10**9},
            {"budgetUsd": -1},
            {"budgetUsd": 10**9 + 1},
            {"localities": []},
            {"localities": ["local"]},
            {"localities": ["local", "cloud", "cloud"]},
            {"localities": ["Local"]},
            {"localities": ["local", None]},
            {"localities": [None]},
            {"pin": ""},
            {"pin": " "},
            {"pin": "nobody"},
            {"pin": "no body"},
            {"pin": "nobody", "tokensIn": -1},
            {"exclude": ["nobody", "nobody"]},
            {"exclude": ["no body"]},
            {"down": ["nobody"]},
            {"down": [None]},
            {"down": ["\x00"]},
            {"down": []},
        )
    ),
]
