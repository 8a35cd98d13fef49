"""Catalogs of one defect, and what lint finds in them.

The contract is the list of rules alone. Every defect is put into a catalog in which nothing else is wrong, beside two
entries that keep every cell filled, so that one defect can be required to be one finding.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aldo.errors import Finding
from aldo.validate import lint
from tests.support.strategies import Scenario

TODAY = datetime.date(2026, 11, 22)
HEADER = "apiVersion: aldo/models.v1\nkind: ModelCatalog\n"

LOCAL = {
    "provider": "ollama",
    "providerKind": "openai-compat",
    "locality": "local",
    "capabilityClass": "local-reasoning",
    "provides": "[streaming, OWN]",
    "privacyAllowed": "[public, internal, sensitive]",
    "effectiveContextTokens": "32768",
    "cost": "{ usdPerMtokIn: 0, usdPerMtokOut: 0 }",
    "providerConfig": "{ baseUrl: http://localhost:11434 }",
}
CLOUD = LOCAL | {
    "provider": "openai",
    "locality": "cloud",
    "privacyAllowed": "[public, internal]",
    "effectiveContextTokens": "200000",
    "cost": "{ usdPerMtokIn: 2, usdPerMtokOut: 10 }",
    "providerConfig": "{ baseUrl: https://api.openai.com/v1, apiKeyEnv: OPENAI_API_KEY }",
}
ON_PREM = CLOUD | {"locality": "on-prem", "providerConfig": "{ baseUrl: https://models.example.org/v1 }"}
MLX = LOCAL | {
    "provider": "mlx",
    "providerKind": "mlx",
    "providerConfig": "{ baseUrl: http://localhost:8081, extra: { quantization: q4 } }",
}
HOMES = {"local": LOCAL, "cloud": CLOUD, "on-prem": ON_PREM, "mlx": MLX}
OWN = ("vision", "audio-in", "code-fim")
"""Each subject provides one of these alone, so it is the first choice of some request whatever else it is."""
SUBJECTS = ("subject", "subject-two", "subject-three")

Change = Mapping[str, str | None]
UNCHANGED: Change = MappingProxyType({})


def entry(name: str, fields: Mapping[str, str], change: Change = UNCHANGED, own: str = OWN[0]) -> str:
    """One entry in block style: a line for every field, those of `change` in place of the home's or behind them."""
    merged = {key: value for key, value in {**fields, **change}.items() if value is not None}
    lines = [f"  - id: {name}", *(f"    {key}: {value}".replace("OWN", own) for key, value in merged.items())]
    return "\n".join(lines) + "\n"


SPARE = LOCAL | {"provides": "[streaming]"}
SPARES = entry("spare-a", SPARE) + entry("spare-b", SPARE | {"provides": "[streaming, tool-use]"})


def catalog(*entries: str, head: str = "", spares: str = SPARES) -> str:
    return f"{HEADER}{head}models:\n{spares}{''.join(entries)}"


def subject(home: str, change: Change = UNCHANGED, number: int = 0) -> str:
    return entry(SUBJECTS[number], HOMES[home], change, OWN[number])


def line_of(text: str, model: str, key: str = "") -> int:
    """The line of a field of an entry, or of the entry itself."""
    lines = text.splitlines()
    start = lines.index(f"  - id: {model}")
    if not key:
        return start + 1
    return next(n for n in range(start, len(lines)) if lines[n].strip().removeprefix("- ").startswith(f"{key}:")) + 1


def found(text: str | bytes, folder: Path, **options: Any) -> tuple[Finding, ...]:
    path = folder / "catalog.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return lint([path], **{"today": TODAY, **options}).findings


def codes(findings: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def told(findings: Sequence[Finding]) -> list[str]:
    """What to show when there should have been nothing."""
    return [str(finding) for finding in findings]


def at_url(url: str) -> str:
    return f"{{ baseUrl: '{url}' }}"


def with_knobs(knobs: str) -> str:
    return f"{{ baseUrl: http://localhost:8081, extra: {{ {knobs} }} }}"


def costing(price_in: str, price_out: str, more: str = "") -> str:
    return f"{{ usdPerMtokIn: {price_in}, usdPerMtokOut: {price_out}{more} }}"


HOUSE = "vocabulary: { capabilities: [house-style, 64k-context] }\n"
KEY = "Zq81kXw02mVbT5yHc9"
OPENAI_KEY = f"sk-proj-{KEY}"
SECRETS = (
    OPENAI_KEY,
    f"sk-ant-api03-{KEY}{KEY}",
    f"ghp_{(KEY * 2)[:36]}",
    f"hf_{(KEY * 2)[:34]}",
    "AKIA" + "Z7QX3KW5MVB2TYHC",
    f"AIza{(KEY * 2)[:35]}",
)

WIDE = "routing: { sensitiveLocalities: [local, on-prem] }\n"
NEAR = "routing: { localNetworks: [10.1.0.0/16, 192.168.1.20, 'fd00::/8', studio.lan, Gpu-Box] }\n"


def three(*changes: Change) -> str:
    """Three subjects that differ in their own capability, and in what is changed."""
    return catalog(*(subject("local", change, number) for number, change in enumerate(changes)))


ALONE = LOCAL | {"capabilityClass": "fast-draft", "provides": "[streaming, vision]"}


def only(*entries: str, head: str = "") -> str:
    return catalog(*entries, head=head, spares="")


def document(scenario: Scenario) -> str:
    """A scenario as JSON, which is YAML."""
    content: dict[str, Any] = {
        "apiVersion": "aldo/models.v1",
        "kind": "ModelCatalog",
        "models": [
            dict(one, cost={key: float(value) for key, value in one["cost"].items()}) for one in scenario.entries
        ],
        "vocabulary": {"capabilityClasses": ["house-class"], "capabilities": ["house-tag"]},
    }
    if scenario.widened is not None:
        content["routing"] = {"sensitiveLocalities": list(scenario.widened)}
    text = json.dumps(content, indent=1)
    return text.replace("1e-06", "0.000001")
