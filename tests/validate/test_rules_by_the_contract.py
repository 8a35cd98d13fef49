"""The rules of lint held to the contract: what has to be found and where, and what must be left in peace.

Written from the list of rules alone. Every defect is put into a catalog in which nothing else is wrong, beside two
entries that keep every cell filled, so that one defect can be required to be one finding.
"""

from __future__ import annotations

import datetime
import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from aldo.errors import Finding
from aldo.schema import RouteRequest
from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES
from aldo.transport.egress import EgressPolicy
from aldo.validate import FORMATS, lint, render
from tests.support.strategies import TIERS, Scenario, candidates, scenarios

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lint")


def found(text: str | bytes, folder: Path, **options: Any) -> tuple[Finding, ...]:
    path = folder / "catalog.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return lint([path], **{"today": TODAY, **options}).findings


def codes(findings: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def told(findings: Sequence[Finding]) -> list[str]:
    """What to show when there should have been nothing."""
    return [str(finding) for finding in findings]


@dataclass(frozen=True)
class Case:
    """A change of the subject that makes exactly one finding, at the line of `at`."""

    code: str
    severity: str
    change: dict[str, str | None]
    at: str
    pointer: str
    says: tuple[str, ...]
    home: str = "local"
    head: str = ""
    advises: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.code} {self.home} " + " ".join(f"{key}={value}" for key, value in self.change.items())


def _e(code: str, at: str, value: str | None, *says: str, **more: Any) -> Case:
    return _of("error", code, at, value, *says, **more)


def _w(code: str, at: str, value: str | None, *says: str, **more: Any) -> Case:
    return _of("warning", code, at, value, *says, **more)


def _i(code: str, at: str, value: str | None, *says: str, **more: Any) -> Case:
    return _of("info", code, at, value, *says, **more)


def _of(severity: str, code: str, at: str, value: str | None, *says: str, **more: Any) -> Case:
    change = {at: value, **more.pop("also", {})}
    pointer = more.pop("pointer", f"/{at}")
    return Case(code, severity, change, at, pointer, says, **more)


def _local(url: str) -> str:
    return f"{{ baseUrl: '{url}' }}"


def _extra(knobs: str) -> str:
    return f"{{ baseUrl: http://localhost:8081, extra: {{ {knobs} }} }}"


def _cost(price_in: str, price_out: str, more: str = "") -> str:
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

STRUCTURE = (
    _e("AL103", "localty", "local", "localty", also={"locality": None}, advises=("locality",)),
    _e("AL103", "capability_class", "local-reasoning", also={"capabilityClass": None}, advises=("capabilityClass",)),
    _e("AL103", "flavour", "mint", "flavour"),
    _e("AL103", "maxOutputToken", "100", "maxOutputToken", advises=("maxOutputTokens",)),
    _e("AL103", "providerConfig", "{ baseURL: http://localhost:1 }", "baseURL", pointer="/providerConfig/baseURL",
       advises=("baseUrl",)),
    _e("AL105", "effectiveContextTokens", '"32768"'),
    _e("AL105", "enabled", "yes"),
    _e("AL105", "provides", "streaming"),
    _e("AL106", "locality", "moon", "moon", "local", "on-prem", "cloud"),
    _e("AL106", "privacyAllowed", "[public, internl]", "internl", pointer="/privacyAllowed/1", advises=("internal",)),
    _e("AL106", "privacyAllowed", "[]"),
    _e("AL106", "cost", _cost("-1", "0"), "negative", pointer="/cost/usdPerMtokIn"),
    _e("AL106", "cost", _cost("0.0000001", "0"), "six", pointer="/cost/usdPerMtokIn"),
    _e("AL106", "cost", _cost("1", "-1"), "negative", pointer="/cost/usdPerMtokOut"),
    _e("AL106", "cost", _cost("2", "10", ", usdPerMtokCacheRead: 3.0000001"), home="cloud",
       pointer="/cost/usdPerMtokCacheRead"),
    _e("AL105", "cost", _cost("2", "'1'"), home="cloud", pointer="/cost/usdPerMtokOut"),
    _e("AL106", "asOf", "2026-02-30", "asOf"),
    _e("AL106", "asOf", "1999-02-30", "asOf"),
    _e("AL106", "deprecation", "{ date: 1999-02-30 }", "date", pointer="/deprecation/date"),
    _e("AL106", "effectiveContextTokens", "0"),
    _e("AL106", "effectiveContextTokens", "-5", also={"provides": "[streaming, 32k-context, OWN]"}),
    _e("AL106", "servedContextTokens", "0", also={"provides": "[streaming, 32k-context, OWN]"}),
    _e("AL106", "maxOutputTokens", "-100000"),
    _e("AL106", "locality", "lokal", "local"),
    *(_w("AL113", "provider", word, word) for word in ("NO", "Yes", "ON", "1_000", "0b11", "190:20:30")),
    _w("AL113", "provider", "off", "off"),
    _w("AL113", "description", "22:30", "22:30"),
    _w("AL113", "maxOutputTokens", "0100", "0100"),
)  # fmt: skip

NAMES = (
    *(
        _w("AL201", "capabilityClass", typo, typo, "local-reasoning")
        for typo in ("local-reasonin", "local-reasonning", "Local-Reasoning", "local_reasoning", "localreasoning")
    ),
    *(
        _w("AL201", "provides", f"[{typo}, OWN]", typo, meant, pointer="/provides/0")
        for typo, meant in (
            ("tool_use", "tool-use"),
            ("tooluse", "tool-use"),
            ("Tool-Use", "tool-use"),
            ("tol-use", "tool-use"),
            ("structred-output", "structured-output"),
            ("structuredOutput", "structured-output"),
            ("visoin", "vision"),
            ("streamin", "streaming"),
            ("function_calling", "function-calling"),
            ("32K-context", "32k-context"),
            ("32k_context", "32k-context"),
        )
    ),
    _w("AL201", "provides", "[hous-style, OWN]", "hous-style", "house-style", head=HOUSE, pointer="/provides/0"),
    _e("AL203", "providerKind", "opnai-compat", "opnai-compat", "openai-compat"),
    _e("AL203", "providerKind", "anthropic", "anthropic"),
    _e("AL203", "providerKind", "MLX", "MLX", "mlx"),
    _e("AL204", "providerConfig", _extra("samplerSed: 7"), "samplerSed", "samplerSeed", home="mlx",
       pointer="/providerConfig/extra/samplerSed"),
    _e("AL204", "providerConfig", _extra("kv_bits: 4"), "kv_bits", home="mlx", pointer="/providerConfig/extra/kv_bits"),
    _w("AL204", "providerConfig", _extra("reasoningEfort: low"), "reasoningEfort", "reasoningEffort",
       pointer="/providerConfig/extra/reasoningEfort"),
    _e("AL205", "providerConfig", _extra("samplerSeed: lucky"), "samplerSeed", "integer", home="mlx",
       pointer="/providerConfig/extra/samplerSeed"),
    _e("AL205", "providerConfig", _extra("minP: 1.5"), "minP", "1", home="mlx", pointer="/providerConfig/extra/minP"),
    _e("AL205", "providerConfig", _extra("numDraftTokens: 0"), "numDraftTokens", home="mlx",
       pointer="/providerConfig/extra/numDraftTokens"),
    _e("AL205", "providerConfig", _extra("sampling: never"), "sampling", pointer="/providerConfig/extra/sampling"),
    _e("AL205", "providerConfig", _extra("maxTokensField: tokens"), "max_tokens", "max_completion_tokens",
       pointer="/providerConfig/extra/maxTokensField"),
    _i("AL206", "providerConfig", _extra("kvCacheQuantized: true"), "kvCacheQuantized", "--kv-bits", home="mlx",
       pointer="/providerConfig/extra/kvCacheQuantized"),
    *(
        _w("AL207", "provides", f"[streaming, {tag}, OWN]", tag, "mlx", home="mlx", pointer="/provides/1")
        for tag in ("embeddings", "structured-output", "json-mode", "constrained-decoding")
    ),
    *(
        _e("AL208", "providerConfig", _local(url), home=home, pointer="/providerConfig/baseUrl")
        for home in ("local", "cloud")
        for url in (
            "localhost:8081",
            "localhost",
            "ftp://localhost:8081",
            "http://",
            "http:///v1",
            "http:localhost:1",
            "http://localhost:99999",
            "http://localhost:port",
            "http://local host:1",
            "http://localhost:1/v1?key=1",
            "http://localhost:1/v1#top",
            "http://[::1:8081",
            "//localhost:8081",
            "https//localhost:8081",
        )
    ),
    _w("AL209", "deprecation", "{ date: 2099-12-31 }", "2099-12-31"),
    _w("AL209", "deprecation", "{ date: 2026-11-22 }", "2026-11-22"),
    _i("AL209", "deprecation", "{ date: 2026-12-31, replacement: spare-a }", "2026-12-31", "spare-a"),
    _w("AL210", "deprecation", "{ date: 2026-12-31, replacement: spare-c }", "spare-c", "did you mean",
       pointer="/deprecation/replacement"),
    _w("AL210", "deprecation", "{ date: 2026-12-31, replacement: subject }", "subject",
       pointer="/deprecation/replacement"),
)  # fmt: skip

WIDE = "routing: { sensitiveLocalities: [local, on-prem] }\n"
NEAR = "routing: { localNetworks: [10.1.0.0/16, 192.168.1.20, 'fd00::/8', studio.lan, Gpu-Box] }\n"
ELSEWHERE = (
    "http://192.168.1.20:8081",
    "https://api.openai.com/v1",
    "http://studio.lan:8000",
    "http://localhost.example.org:1",
    "http://127.0.0.1.example.org:1",
    "http://localhost@example.org/v1",
    "http://example.org/localhost",
    "http://[2001:db8::1]:8081",
    "http://[::ffff:10.0.0.1]:8081",
    "http://128.0.0.1",
    "http://mylocalhost:1",
)
SECURITY = (
    _e("AL301", "privacyAllowed", "[public, internal, sensitive]", "sensitive", "cloud", home="cloud"),
    _e("AL301", "privacyAllowed", "[public, internal, sensitive]", "sensitive", "on-prem", home="on-prem"),
    _e("AL301", "privacyAllowed", "[public, internal, sensitive]", "sensitive", "cloud", home="cloud", head=WIDE),
    *(
        _e("AL302", "providerConfig", _local(url), home="local", pointer="/providerConfig/baseUrl",
           advises=("localNetworks",))
        for url in ELSEWHERE
    ),
    *(
        _e("AL302", "providerConfig", _local(url), home="local", pointer="/providerConfig/baseUrl", head=NEAR)
        for url in ("http://10.2.0.1:8000", "http://192.168.1.21", "http://[fe00::1]", "http://a.studio.lan")
    ),
    *(
        _w("AL303", "providerConfig", _local(url), home=home, pointer="/providerConfig/baseUrl", advises=("https",))
        for home in ("cloud", "on-prem")
        for url in ("http://api.example.org/v1", "http://10.0.0.7:8000", "HTTP://api.example.org", "http://[2001:db8::1]")
    ),
    *(
        _e("AL304", "providerConfig", value, home="cloud", pointer="/providerConfig", advises=("apiKeyEnv",))
        for value in (
            f"{{ baseUrl: https://api.openai.com/v1, apiKeyEnv: {OPENAI_KEY} }}",
            f"{{ baseUrl: https://api.openai.com/v1, headers: {{ Authorization: Bearer {KEY} }} }}",
            f"{{ baseUrl: https://api.openai.com/v1, headers: {{ authorization: '{KEY}' }} }}",
            f"{{ baseUrl: https://api.openai.com/v1, headers: {{ X-Api-Key: {KEY} }} }}",
            f"{{ baseUrl: https://api.openai.com/v1, headers: {{ api-key: {KEY} }} }}",
            f"{{ baseUrl: https://api.openai.com/v1, headers: {{ Proxy-Authorization: Basic {KEY} }} }}",
            f"{{ baseUrl: 'https://me:{KEY}@api.openai.com/v1' }}",
            f"{{ baseUrl: 'https://api.openai.com/v1/{OPENAI_KEY}' }}",
        )
    ),
    *(_e("AL304", "description", f"ask for {secret} at the desk") for secret in SECRETS),
    _e("AL304", "source", f"https://example.org/{OPENAI_KEY}"),
    _e("AL304", "description", f"plain words # {OPENAI_KEY}", pointer=""),
    _w("AL305", "privacyAllowed", "[public, sensitive]", "internal"),
    _w("AL305", "privacyAllowed", "[sensitive]", "internal"),
    _w("AL305", "privacyAllowed", "[sensitive, public]", "internal"),
)  # fmt: skip

LIMITS = (
    _w("AL401", "cost", _cost("0", "0"), home="cloud"),
    _w("AL401", "cost", _cost("0.0", "0.000"), home="cloud"),
    _w("AL401", "cost", _cost("0", "10"), home="cloud"),
    _w("AL402", "cost", _cost("0.000002", "0.00001"), home="cloud"),
    _w("AL402", "cost", _cost("0.002", "0.004"), home="cloud"),
    _w("AL402", "cost", _cost("0.002", "0.004"), home="on-prem"),
    _w("AL402", "cost", _cost("0.000002", "10"), home="cloud"),
    _w("AL403", "cost", _cost("10", "2"), home="cloud"),
    _w("AL403", "cost", _cost("2.000001", "2"), home="cloud"),
    _w("AL403", "cost", _cost("2", "0.5"), home="on-prem"),
    _w("AL403", "cost", _cost("3", "1"), home="local"),
    _w("AL404", "cost", _cost("2", "10", ", usdPerMtokCacheRead: 2.000001"), home="cloud"),
    _w("AL404", "cost", _cost("2", "10", ", usdPerMtokCacheRead: 2.5, usdPerMtokCacheWrite: 2.5"), home="cloud"),
    *(
        _w("AL405", "effectiveContextTokens", tokens, f"{tag}-context", home="cloud", pointer="",
           also={"provides": f"[streaming, {tag}-context, OWN]"})
        for tag, tokens in (("32k", "31999"), ("128k", "127999"), ("200k", "199999"), ("1m", "999999"), ("128k", "1"))
    ),
    _w("AL405", "effectiveContextTokens", "63999", "64k-context", head=HOUSE, pointer="",
       also={"provides": "[streaming, 64k-context, OWN]"}),
    _w("AL405", "servedContextTokens", "8192", "128k-context", "8192", home="cloud", pointer="",
       also={"provides": "[streaming, 128k-context, OWN]"}),
    _w("AL406", "maxOutputTokens", "32769", "32769", "32768"),
    _w("AL406", "maxOutputTokens", "1000000"),
    _w("AL406", "maxOutputTokens", "8193", "8192", also={"servedContextTokens": "8192"}),
    _w("AL407", "asOf", "2026-05-25"),  # 181 days
    _w("AL407", "asOf", "2019-01-01"),
    _w("AL407", "asOf", "2026-11-23", "future"),
    _w("AL408", "deprecation", "{ date: 2026-11-21 }", "2026-11-21"),
    _w("AL408", "deprecation", "{ date: 2019-01-01, replacement: spare-a }", "2019-01-01", "spare-a"),
)  # fmt: skip

CASES = (*STRUCTURE, *NAMES, *SECURITY, *LIMITS)
SELF_EVIDENT = {"AL105", "AL106", "AL205", "AL209"}
"""Their messages say what the value must be, or what comes next."""


def lines_of(case: Case, text: str, model: str) -> set[int]:
    """Where the case may be told: at its field, or at the other field that it contradicts."""
    keys = [key for key, value in case.change.items() if value is not None]
    return {line_of(text, model, key) for key in keys if key == case.at or case.code == "AL405"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_defect_is_one_finding_at_its_place(case: Case, folder: Path) -> None:
    text = catalog(subject(case.home, case.change), head=case.head)
    findings = found(text, folder)
    assert [(f.code, f.severity) for f in findings] == [(case.code, case.severity)], told(findings)
    (finding,) = findings
    span = finding.span
    assert span is not None
    assert span.line in lines_of(case, text, "subject"), finding
    assert (span.end_line, span.end_column) > (span.line, span.column), "the caret has nothing to point at"
    assert span.end_column <= len(text.splitlines()[span.end_line - 1]) + 1
    if "#" not in str(case.change[case.at]) or case.code != "AL304":
        assert finding.pointer.startswith(f"/models/2{case.pointer}"), finding
    for words in case.says:
        assert words in finding.message + finding.hint, finding
    for words in case.advises:
        assert words in finding.hint, finding
    assert finding.hint or finding.code in SELF_EVIDENT, "a hint says what to do"
    assert finding.url.endswith(f"#{case.code.lower()}")


@pytest.mark.parametrize("code", sorted({case.code for case in CASES}))
def test_a_message_does_not_repeat_its_hint_and_ends_without_a_full_stop_like_the_others(
    code: str, folder: Path
) -> None:
    for case in (case for case in CASES if case.code == code):
        (finding, *_) = found(catalog(subject(case.home, case.change), head=case.head), folder)
        assert not finding.hint or finding.hint not in finding.message
        assert " 1 days" not in finding.message
        assert not re.search(r"\de-\d", finding.message), "prices are read in plain decimals"
        assert "\n" not in finding.message + finding.hint
        assert not finding.message.endswith((".", "!", ":"))


def _clean(home: str, head: str = "", **change: str | None) -> tuple[str, str, dict[str, str | None]]:
    return home, head, change


CLEAN = (
    *(_clean(home) for home in HOMES),
    *(_clean("local", provider=name) for name in ('"NO"', "Norway", "no-one", "'on'", "nullable", "v1.2.3", "y", "12:60", "e3")),
    *(_clean("local", description=text) for text in ("at 22:30 sharp", "'22:30'", "!!str no")),
    _clean("local", description="|\n      ---\n      not a document: no\n      # aldo: ignore[AL301] only words"),
    _clean("local", description='"# aldo: ignore[AL301] only words"'),
    # names
    *(
        _clean("cloud", provides=f"[streaming, OWN, {tag}]")
        for tag in ("64k-context", "160k-context", "16k-context", "house-rules", "sql", "german", "video-in", "web-search")
    ),
    *(
        _clean("cloud", f"vocabulary: {{ capabilities: [{tag}] }}\n", provides=f"[streaming, OWN, {tag}]")
        for tag in ("tool_use", "visions", "stream", "150k-context", "embedding", "reranker")
    ),
    _clean("cloud", providerConfig="{ baseUrl: https://h.example.org, extra: { seed: 7, reasoningEffort: low } }"),
    _clean("cloud", providerConfig="{ baseUrl: https://h.example.org, extra: { sampling: false } }"),
    _clean("mlx", providerConfig=_extra("samplerSeed: 7, draftModel: a/b, topK: 0, minP: 1, quantization: bf16")),
    _clean("mlx", providerConfig=_extra("chatTemplateKwargs: { enable_thinking: false, anything: [1] }")),
    _clean("mlx", provides="[streaming, tool-use, function-calling, reasoning, OWN]"),
    _clean("local", provides="[streaming, structured-output, json-mode, constrained-decoding, OWN]"),
    # base URLs
    *(
        _clean("local", providerConfig=_local(url))
        for url in (
            "http://localhost",
            "http://localhost:8081/",
            "http://localhost:8081/v1",
            "http://localhost:8081/v1/",
            "HTTP://LOCALHOST:8081",
            "https://localhost:8443",
            "http://localhost.:8081",
            "http://127.0.0.1:8081",
            "http://127.0.0.2:8081",
            "http://127.255.255.254",
            "http://[::1]:8081/v1",
            "http://[::ffff:127.0.0.1]:8081",
            "http://[0:0:0:0:0:0:0:1]",
            "http://studio.localhost:8081",
        )
    ),
    *(
        _clean(home, NEAR, providerConfig=_local(url))
        for home in ("local", "on-prem")
        for url in (
            "http://10.1.0.0:8000",
            "http://10.1.255.255/v1",
            "http://192.168.1.20",
            "http://[fd12::1]:8000",
            "http://studio.lan:8000",
            "http://STUDIO.lan.:8000",
            "http://gpu-box",
            "http://[::ffff:10.1.2.3]:80",
        )
    ),
    _clean("local", providerConfig=None),
    _clean("local", providerConfig="{ model: 'qwen3:8b' }"),
    _clean("on-prem", providerConfig="{ baseUrl: http://localhost:8000 }"),
    _clean("cloud", providerConfig="{ baseUrl: https://api.openai.com:443/v1/, apiKeyEnv: _KEY_2 }"),
    # tiers
    _clean("on-prem", WIDE, privacyAllowed="[public, internal, sensitive]"),
    _clean("cloud", "routing: { sensitiveLocalities: [cloud, local] }\n", privacyAllowed="[internal, sensitive]"),
    *(_clean("local", privacyAllowed=tiers) for tiers in ("[internal, sensitive]", "[sensitive, internal, public]")),
    *(_clean("local", privacyAllowed=tiers) for tiers in ("[public]", "[internal]", "[internal, public]")),
    # secrets
    *(
        _clean("cloud", providerConfig=f"{{ baseUrl: https://h.example.org, headers: {{ {header} }} }}")
        for header in (
            "Authorization: 'Bearer ${OPENAI_API_KEY}'",
            "Authorization: '${TOKEN}'",
            "X-Api-Key: '${API_KEY}'",
            "api-key: '${AZURE_KEY}'",
            "X-Title: my own catalog",
            "anthropic-version: '2023-06-01'",
            "HTTP-Referer: https://example.org/",
            "OpenAI-Organization: org-acme",
            "X-Request-Id: 6f1e2b7c-93a4-4d0a-8a51-0c2f7e9b1d23",
        )
    ),
    *(
        _clean("local", description=words)
        for words in (
            "the Authorization header comes from the environment",
            "sk-learn, task-force and risk-averse",
            "see hf_hub_download_with_some_options",
            "set OPENAI_API_KEY first",
            "sk-... goes into the environment",
            "the password is in the vault",
            "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        )
    ),
    _clean("local", providerConfig="{ model: mlx-community/Qwen2.5-Coder-32B-Instruct-abliterated-4bit }"),
    _clean("local", providerConfig="{ model: text-embedding-nomic-embed-text-v1.5 }"),
    _clean("local", source="https://example.org/models/qwen3-235b-a22b-thinking-2507?rev=9c925d64d72725edaf899c6cb9c"),
    # prices
    _clean("cloud", capabilityClass="embeddings", provides="[embeddings, OWN]", cost=_cost("0.02", "0")),
    _clean("cloud", provides="[embeddings, OWN]", cost=_cost("0.02", "0")),
    _clean("cloud", provides="[rerank, OWN]", cost=_cost("0.02", "0")),
    _clean("local", cost=_cost("0", "0")),
    _clean("on-prem", cost=_cost("0", "0")),
    _clean("local", cost=_cost("0.000002", "0.00001")),
    _clean("cloud", cost=_cost("0.005", "0.005")),
    _clean("cloud", cost=_cost("0.01", "0.02")),
    _clean("cloud", cost=_cost("2", "2")),
    _clean("cloud", cost=_cost("150", "600")),
    _clean("cloud", cost=_cost("0.14", "0.28", ", usdPerMtokCacheRead: 0.0028")),
    _clean("cloud", cost=_cost("2", "10", ", usdPerMtokCacheRead: 2")),
    _clean("cloud", cost=_cost("2", "10", ", usdPerMtokCacheRead: 0")),
    _clean("cloud", cost=_cost("2", "10", ", usdPerMtokCacheWrite: 2.5")),
    _clean("cloud", cost=_cost("2.0", "10", ", usdPerMtokCacheRead: 2.000000")),
    # limits
    *(
        _clean("cloud", effectiveContextTokens=tokens, provides=f"[streaming, {tag}-context, OWN]")
        for tag, tokens in (("32k", "32000"), ("128k", "128000"), ("200k", "200000"), ("1m", "1000000"))
    ),
    *(
        _clean("cloud", effectiveContextTokens=tokens, provides=f"[streaming, {tag}-context, OWN]")
        for tag, tokens in (("32k", "32768"), ("128k", "131072"), ("32k", "1000000"), ("1m", "1048576"))
    ),
    _clean("local", HOUSE, effectiveContextTokens="64000", provides="[streaming, 64k-context, OWN]"),
    _clean("cloud", servedContextTokens="128000", provides="[streaming, 128k-context, OWN]"),
    _clean("local", servedContextTokens="65536", description="the server may offer more than the model can do"),
    _clean("local", maxOutputTokens="32768"),
    _clean("local", maxOutputTokens="8192", servedContextTokens="8192"),
    *(_clean("local", asOf=day) for day in ("2026-11-22", "2026-05-26", "'2026-11-01'")),
    *(
        _clean("local", enabled="false", deprecation=f"{{ date: {day} }}")
        for day in ("2019-01-01", "2026-11-22", "2099-12-31")
    ),
    _clean("local", enabled="false"),
    _clean("local", enabled="true", latencyP95Ms="1000", maxOutputTokens="4096", description="every optional field"),
)  # fmt: skip


@pytest.mark.parametrize(("home", "head", "change"), CLEAN, ids=lambda part: str(part).replace("\n", " ")[:90])
def test_what_is_fine_is_left_in_peace(home: str, head: str, change: dict[str, str | None], folder: Path) -> None:
    is_alone = change.get("capabilityClass", "local-reasoning") != "local-reasoning"
    findings = found(catalog(subject(home, change), head=head), folder, ignore=["AL5"] if is_alone else [])
    assert told(findings) == []


# What only a whole catalog can show: names that others use, ids, cells, and who is ever chosen.


def three(*changes: Change) -> str:
    """Three subjects that differ in their own capability, and in what is changed."""
    return catalog(*(subject("local", change, number) for number, change in enumerate(changes)))


@pytest.mark.parametrize(
    "rare", ["hous-style", "house-styles", "huose-style", "house-stile", "House-style", "house_style"]
)
def test_a_tag_used_once_and_one_edit_from_a_common_one_is_told_with_the_common_one(rare: str, folder: Path) -> None:
    common = {"provides": "[streaming, OWN, house-style]"}
    text = three(common, {"provides": f"[streaming, OWN, {rare}]"}, common)
    (finding,) = found(text, folder)
    assert (finding.code, finding.severity, finding.pointer) == ("AL202", "warning", "/models/3/provides/2")
    assert finding.span
    assert finding.span.line == line_of(text, "subject-two", "provides")
    assert rare in finding.message
    assert "house-style" in finding.message + finding.hint


@pytest.mark.parametrize(
    ("common", "other"),
    [
        ("house-style", "horse-riding"),
        ("house-v1", "house-v2"),
        ("lang2", "lang3"),
        ("sql", "sqs"),
        ("64k-context", "65k-context"),
        ("house-style", "streaming"),
    ],
)
def test_tags_that_differ_by_more_or_in_their_numbers_are_two_tags(common: str, other: str, folder: Path) -> None:
    many = {"provides": f"[streaming, OWN, {common}]", "effectiveContextTokens": "65000"}
    assert (
        told(found(three(many, {**many, "provides": f"[streaming, OWN, {other}]"}, many), folder, ignore=["AL5"])) == []
    )


def test_a_tag_that_is_declared_or_used_twice_is_no_typo_of_another(folder: Path) -> None:
    style, stile = {"provides": "[streaming, OWN, house-style]"}, {"provides": "[streaming, OWN, house-stile]"}
    declared = "vocabulary: { capabilities: [house-style, house-stile] }\n"
    one = catalog(*(subject("local", change, n) for n, change in enumerate((style, stile, style))), head=declared)
    assert told(found(one, folder)) == []
    twice = entry("last", LOCAL | {"provides": "[streaming, rerank, house-stile]"})
    assert told(found(three(style, stile, style) + twice, folder, ignore=["AL5"])) == []


@pytest.mark.parametrize("public", ["0.0.0.0/0", "8.0.0.0/8", "::/0"])
def test_a_public_range_under_local_networks_is_refused_for_what_it_is(public: str, folder: Path) -> None:
    (finding,) = found(catalog(head=f"routing: {{ localNetworks: ['{public}'] }}\n"), folder)
    assert (finding.code, finding.pointer) == ("AL106", "/routing/localNetworks/0")
    assert "public" in finding.message


def _says(words: str) -> Change:
    return {"provides": f"[streaming, OWN, {words}]"}


@pytest.mark.parametrize(
    ("head", "entry_of", "code"),
    [
        ("routing: { localNetworks: ['10.0.0.0/33'] }\n", ("local", {"providerConfig": _local("http://10.0.0.1:8")}), "AL106"),
        ("routing: { localNetworks: 10.0.0.0/8 }\n", ("local", {"providerConfig": _local("http://10.0.0.1:8")}), "AL105"),
        ("routing: { localNetwork: [10.0.0.0/8] }\n", ("local", {"providerConfig": _local("http://10.0.0.1:8")}), "AL103"),
        ("routing: { localNetworks: [10.0.0.0/33] }\n", ("on-prem", {"providerConfig": _local("http://10.0.0.1:8")}), "AL106"),
        ("routing: { sensitiveLocalities: [local, on-perm] }\n", ("on-prem", {"privacyAllowed": "[internal, sensitive]"}), "AL106"),
        ("routing: { sensitiveLocality: [local, on-prem] }\n", ("on-prem", {"privacyAllowed": "[internal, sensitive]"}), "AL103"),
        ("vocabulary: { capabilties: [tool_use] }\n", ("local", _says("tool_use")), "AL103"),
        ("vocabulary: { capabilities: tool_use }\n", ("local", _says("tool_use")), "AL105"),
        ("vocabulary: { capabilities: [tool_use, 7] }\n", ("local", _says("tool_use")), "AL105"),
    ],
)  # fmt: skip
def test_a_defect_in_the_settings_is_not_also_one_of_the_entries_that_rely_on_them(
    head: str, entry_of: tuple[str, Change], code: str, folder: Path
) -> None:
    findings = found(catalog(subject(*entry_of), head=head), folder)
    assert codes(findings) == [code], told(findings)
    assert findings[0].span
    assert findings[0].span.line == 3


def test_a_launch_knob_of_the_wrong_type_is_one_error(folder: Path) -> None:
    text = catalog(subject("mlx", {"providerConfig": _extra("kvCacheQuantized: maybe")}))
    assert codes(found(text, folder)) == ["AL205"]


def test_an_id_given_twice_is_told_once_at_the_second_place_with_the_first(folder: Path) -> None:
    text = catalog(subject("local"), entry("spare-a", LOCAL, own="rerank"))
    (finding,) = found(text, folder)
    assert (finding.code, finding.severity, finding.pointer) == ("AL107", "error", "/models/3/id")
    assert finding.span
    assert finding.span.line == text.splitlines().index("  - id: spare-a", 5) + 1
    assert "spare-a" in finding.message
    assert [other.span and other.span.line for other in finding.related] == [line_of(text, "spare-a")]


def test_an_id_given_three_times_is_told_at_each_repetition(folder: Path) -> None:
    text = catalog(*(entry("spare-a", LOCAL, own=own) for own in OWN[:2]))
    assert codes(found(text, folder)) == ["AL107", "AL107"]


BROKEN = "\n    localty: local"


@pytest.mark.parametrize("broken", ["", BROKEN])
def test_a_replacement_that_stands_in_the_file_is_known_even_where_its_entry_is_broken(
    broken: str, folder: Path
) -> None:
    other = subject("local", number=1).replace("\n    provider: ollama", "\n    provider: ollama" + broken)
    text = catalog(subject("local", {"deprecation": "{ date: 2027-01-01, replacement: subject-two }"}), other)
    assert "AL210" not in codes(found(text, folder))


ALONE = LOCAL | {"capabilityClass": "fast-draft", "provides": "[streaming, vision]"}


def only(*entries: str, head: str = "") -> str:
    return catalog(*entries, head=head, spares="")


def test_a_class_with_one_model_names_class_tier_and_model(folder: Path) -> None:
    findings = found(only(entry("lone", ALONE)), folder)
    assert {(f.code, f.severity) for f in findings} == {("AL503", "info")}, told(findings)
    words = " ".join(f.message for f in findings)
    assert all(word in words for word in ("fast-draft", "lone", "public", "internal", "sensitive"))
    assert len(findings) == 1, "one entry too few is one defect"


def test_a_cell_without_a_model_names_class_and_tier_and_is_told_once(folder: Path) -> None:
    open_tiers = ALONE | {"privacyAllowed": "[public, internal]"}
    text = only(entry("a", open_tiers), entry("b", open_tiers, {"provides": "[streaming, tool-use]"}))
    (finding,) = found(text, folder)
    assert (finding.code, finding.severity) == ("AL502", "warning")
    assert "fast-draft" in finding.message
    assert "sensitive" in finding.message
    assert finding.hint


def test_an_entry_that_claims_a_tier_it_cannot_serve_does_not_fill_the_cell(folder: Path) -> None:
    cloud = CLOUD | {"capabilityClass": "fast-draft", "privacyAllowed": "[public, internal, sensitive]"}
    pair = [entry(name, cloud, {"provides": f"[streaming, {tag}]"}) for name, tag in (("a", "vision"), ("b", "rerank"))]
    assert Counter(codes(found(only(*pair), folder)))["AL502"] == 1


def test_a_declared_class_that_no_entry_has_is_a_cell_without_a_model(folder: Path) -> None:
    text = catalog(head="vocabulary: { capabilityClasses: [house-class] }\n")
    findings = found(text, folder)
    assert set(codes(findings)) == {"AL502"}, told(findings)
    assert all("house-class" in finding.message for finding in findings)
    assert all(finding.span and finding.span.line == 3 for finding in findings)


def test_built_in_classes_that_no_entry_has_are_not_missed(folder: Path) -> None:
    assert told(found(catalog(), folder)) == []


def test_a_disabled_entry_fills_no_cell(folder: Path) -> None:
    second = entry("second", ALONE, {"provides": "[streaming, tool-use]"})
    assert told(found(only(entry("lone", ALONE), second), folder)) == []
    off = second + "    enabled: false\n"
    assert codes(found(only(entry("lone", ALONE), off), folder)) == ["AL503"]


def test_what_only_disabled_entries_have_is_asked_of_nobody_else(folder: Path) -> None:
    off = subject("local", {"enabled": "false", "provides": "[streaming]", "cost": _cost("1", "1")})
    assert told(found(catalog(off), folder)) == []


@pytest.mark.parametrize(
    ("home", "change", "reason"),
    [
        ("local", {"cost": _cost("1", "2")}, "cost"),
        ("local", {"effectiveContextTokens": "1000", "cost": _cost("1", "2")}, "cost"),
        ("local", {"privacyAllowed": "[public]", "cost": _cost("0", "0.000001")}, "cost"),
    ],
)
def test_an_entry_that_another_always_comes_before_names_it_and_what_decides(
    home: str, change: dict[str, str], reason: str, folder: Path
) -> None:
    large = subject(home, {"provides": "[streaming]", "effectiveContextTokens": "32768", **change})
    text = catalog(large)
    (finding,) = found(text, folder)
    assert (finding.code, finding.severity) == ("AL501", "info")
    assert finding.span
    assert finding.span.line in (line_of(text, "subject"), line_of(text, "subject") + 1)
    assert finding.pointer.startswith("/models/2")
    assert "subject" in finding.message
    assert "spare-a" in finding.message
    assert reason in finding.message + finding.hint, finding


def test_a_slower_entry_is_never_first_because_of_its_latency(folder: Path) -> None:
    fast, slow = ALONE | {"latencyP95Ms": "100"}, ALONE | {"latencyP95Ms": "900"}
    (finding,) = found(only(entry("b-fast", fast), entry("a-slow", slow)), folder)
    assert finding.code == "AL501"
    assert "a-slow" in finding.message.split("b-fast")[0]
    assert "latency" in finding.message + finding.hint


@pytest.mark.parametrize(
    ("home", "change"),
    [
        ("cloud", {"provides": "[streaming, vision]"}),
        ("cloud", {"effectiveContextTokens": "32769"}),
        ("local", {"effectiveContextTokens": "32769", "cost": _cost("5", "9")}),
        ("local", {"latencyP95Ms": "1", "provides": "[streaming, tool-use]"}),
        ("local", {"provides": "[vision]", "cost": _cost("5", "9")}),
    ],
)
def test_an_entry_that_some_request_chooses_first_is_not_told(home: str, change: dict[str, str], folder: Path) -> None:
    base = {"provides": "[streaming]", "effectiveContextTokens": "32768"}
    assert not [f for f in found(catalog(subject(home, {**base, **change})), folder) if "subject is" in f.message]


@pytest.mark.parametrize(
    ("home", "head"),
    [("cloud", ""), ("on-prem", ""), ("local", "routing: { sensitiveLocalities: [on-prem] }\n")],
)
def test_an_entry_that_no_request_can_reach_is_a_warning(home: str, head: str, folder: Path) -> None:
    findings = found(catalog(subject(home, {"privacyAllowed": "[sensitive]"}), head=head), folder, select=["AL501"])
    (finding,) = (f for f in findings if "subject" in f.message)
    assert finding.severity == "warning"


def test_prices_that_cross_leave_both_entries_a_first_choice(folder: Path) -> None:
    one, other = ALONE | {"cost": _cost("1", "9")}, ALONE | {"cost": _cost("2", "3")}
    assert told(found(only(entry("a", one), entry("b", other)), folder)) == []


@pytest.mark.parametrize("change", [{}, {"provider": "vllm"}, {"providerConfig": None}, {"description": "another"}])
def test_two_entries_equal_in_every_routing_fact_are_told_once(change: dict[str, str | None], folder: Path) -> None:
    text = only(entry("a", ALONE), entry("b", ALONE, change))
    (finding,) = found(text, folder)
    assert (finding.code, finding.severity) == ("AL504", "info")
    assert "a" in finding.message.split()
    assert "b" in finding.message.split()


@pytest.mark.parametrize(
    "change",
    [
        {"provides": "[vision, streaming]", "privacyAllowed": "[sensitive, public, internal]"},
        {"cost": _cost("0.0", "0.00")},
        {"effectiveContextTokens": "0x8000"},
    ],
)
def test_facts_are_equal_by_value_and_not_by_how_they_are_written(change: dict[str, str], folder: Path) -> None:
    text = only(entry("a", ALONE), entry("b", ALONE, change))
    assert codes(found(text, folder, select=["AL5"])) == ["AL504"]


def test_a_disabled_twin_is_nobodys_twin(folder: Path) -> None:
    text = catalog(entry("twin", SPARE, {"enabled": "false"}))
    assert told(found(text, folder)) == []


def test_a_bare_list_is_one_info_and_is_checked_like_any_other(folder: Path) -> None:
    bare = "\n".join(line[2:] for line in catalog(subject("cloud", {"cost": _cost("10", "2")})).splitlines()[3:]) + "\n"
    findings = found(bare, folder)
    assert [(f.code, f.severity, f.pointer.split("/")[1:2]) for f in findings] == [
        ("AL114", "info", []),
        ("AL403", "warning", ["2"]),
    ]
    assert findings[0].span
    assert findings[0].span.line == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "AL108"),
        ("# nothing\n", "AL108"),
        ("apiVersion: apps/v1\nkind: Deployment\n", "AL109"),
        ("just words\n", "AL109"),
        ("apiVersion: aldo/models.v2\nkind: ModelCatalog\nmodels: []\n", "AL106"),
        (catalog() + "---\n" + catalog(), "AL110"),
        (catalog() + "...\n---\nx: 1\n", "AL110"),
        (catalog(subject("local", {"provides": "*nowhere"})), "AL111"),
        (catalog(subject("local", {"description": "!!python/object:os.system x"})), "AL112"),
        (catalog(subject("local", {"description": "[a, b"})), "AL101"),
        (catalog(subject("local") + "\tdescription: x\n"), "AL101"),
        (catalog(subject("local") + "    locality: local\n"), "AL102"),
        (catalog(subject("local", {"cost": None})), "AL104"),
        (catalog(subject("local", {"cost": "{ usdPerMtokIn: 1 }"})), "AL104"),
    ],
)  # fmt: skip
def test_each_structural_defect_is_one_error(text: str, code: str, folder: Path) -> None:
    findings = found(text, folder)
    if code != "AL106":
        assert [(f.code, f.severity) for f in findings] == [(code, "error")], told(findings)
    assert findings[0].message


@pytest.mark.parametrize("text", ["---\n{}", "{}...\n", "%YAML 1.2\n---\n{}", "\ufeff{}", "\n\n{}\n\n", "{}# end"])
def test_one_document_may_be_marked_as_such(text: str, folder: Path) -> None:
    assert told(found(text.replace("{}", catalog(subject("local"))), folder)) == []


# Comments that ignore.


def test_a_comment_on_the_line_or_above_the_entry_keeps_the_finding_from_being_told(folder: Path) -> None:
    plain = catalog(subject("cloud", {"cost": _cost("10", "2")}))
    behind = plain.replace(_cost("10", "2"), _cost("10", "2") + " # aldo: ignore[AL403] truly")
    above = plain.replace("  - id: subject", "  # aldo: ignore[AL403] truly\n  - id: subject")
    for text in (behind, above):
        path = folder / "ignored.yaml"
        path.write_text(text, "utf-8")
        report = lint([path], today=TODAY)
        assert told(report.findings) == []
        assert codes(report.ignored) == ["AL403"]


@pytest.mark.parametrize(
    ("comment", "code", "says"),
    [
        ("ignore[AL403] no longer true", "AL901", "AL403"),
        ("ignore[AL301, AL403] both gone", "AL901", "AL301"),
        ("ignore[AL999] what", "AL902", "AL999"),
        ("ignore[output-cheaper] by name", "AL902", "output-cheaper"),
        ("ignore", "AL902", ""),
        ("ignore[] nothing", "AL902", ""),
        ("ignroe[AL403] typo", "AL902", ""),
        ("ignore[AL104] cannot be", "AL902", "AL104"),
    ],
)
def test_a_comment_that_does_nothing_is_told(comment: str, code: str, says: str, folder: Path) -> None:
    text = catalog(subject("cloud", {"cost": f"{_cost('2', '10')} # aldo: {comment}"}))
    findings = found(text, folder)
    assert set(codes(findings)) == {code}, told(findings)
    assert {f.severity for f in findings} == {"warning"}
    assert says.upper() in findings[0].message.upper()
    assert {f.span and f.span.line for f in findings} == {line_of(text, "subject", "cost")}


def test_a_comment_for_a_rule_that_this_run_does_not_apply_is_not_unused(folder: Path) -> None:
    text = catalog(subject("cloud", {"cost": f"{_cost('2', '10')} # aldo: ignore[AL403] kept"}))
    assert told(found(text, folder, ignore=["AL403"])) == []
    assert told(found(text, folder, select=["AL3", "AL9"])) == []


@pytest.mark.parametrize(
    "comment", ["# Aldo is a gateway", "# see aldo lint", "# waldo: ignore[AL1]", "# ignore[AL403]"]
)
def test_other_comments_are_nobodys_business(comment: str, folder: Path) -> None:
    assert told(found(catalog(subject("cloud", {"cost": f"{_cost('2', '10')} {comment}"})), folder)) == []


# Secrets.


PEM = f"-----BEGIN RSA PRIVATE KEY-----\n      {KEY}{KEY}\n      {KEY}\n      -----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize("form", FORMATS)
def test_no_output_holds_the_body_of_a_private_key(form: str, folder: Path) -> None:
    path = folder / "secret.yaml"
    path.write_text(catalog(subject("local", {"description": f"|\n      {PEM}"})), "utf-8")
    report = lint([path], today=TODAY)
    assert codes(report.findings) == ["AL304"]
    assert KEY not in render(form, report)


def test_a_private_key_is_told_in_one_line_at_the_field_that_holds_it(folder: Path) -> None:
    (finding,) = found(catalog(subject("local", {"description": f"|\n      {PEM}"})), folder)
    assert finding.pointer == "/models/2/description"
    assert "\n" not in finding.message


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("secret", [*SECRETS, KEY])
def test_no_output_holds_a_secret(secret: str, form: str, folder: Path) -> None:
    config = f"{{ baseUrl: https://h.example.org, headers: {{ Authorization: Bearer {secret} }} }}"
    anywhere: Change = {} if secret == KEY else {secret: "x", "asOf": secret, "description": f"x # {secret}"}
    path = folder / "secret.yaml"
    path.write_text(catalog(subject("cloud", {"providerConfig": config, **anywhere})), "utf-8")
    report = lint([path], today=TODAY)
    assert "AL304" in codes(report.findings)
    assert secret not in render(form, report)
    assert secret[4:] not in json.dumps(report.to_dict())


# Laws.

Picked = tuple[Case, ...]
ALONE_ON_A_LINE = [case for case in CASES if not case.head and case.code not in {"AL210"}]


def one_each(picked: Picked) -> str:
    return catalog(*(subject(case.home, case.change, number) for number, case in enumerate(picked)))


@st.composite
def pairs_of_fields(draw: st.DrawFn) -> tuple[Case, Case]:
    """Two defects of one entry that touch different fields and do not speak of the same thing."""
    first = draw(st.sampled_from(ALONE_ON_A_LINE))
    others = [
        case
        for case in ALONE_ON_A_LINE
        if case.home == first.home and not set(case.change) & set(first.change) and not _related(case, first)
    ]
    assume(others)
    return first, draw(st.sampled_from(others))


def _related(one: Case, other: Case) -> bool:
    """Whether a defect of one field changes what is right for the other's."""
    fields = {*one.change, *other.change}
    speak_together = (
        {"locality", "localty", "providerConfig", "privacyAllowed", "cost"},
        {"providerKind", "providerConfig", "provides"},
        {"effectiveContextTokens", "servedContextTokens", "maxOutputTokens", "provides"},
        {"capabilityClass", "capability_class", "provides", "cost"},
    )
    return any(len(fields & together) > 1 for together in speak_together)


def found_of(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Which code each entry has, without what speaks of the whole catalog."""
    return sorted((f.code, "/".join(f.pointer.split("/")[:3])) for f in findings if not f.code.startswith("AL5"))


def expected_of(picked: Picked, *, entries: Sequence[int]) -> list[tuple[str, str]]:
    return sorted((case.code, f"/models/{2 + number}") for case, number in zip(picked, entries, strict=True))


def _in_value(case: Case) -> bool:
    """A secret in a comment belongs to no entry."""
    return " # " not in str(case.change[case.at])


@given(st.tuples(*[st.sampled_from([case for case in ALONE_ON_A_LINE if _in_value(case)])] * 3))
@settings(max_examples=80)
def test_no_bad_entry_hides_another_or_adds_to_it(folder: Path, picked: Picked) -> None:
    assert found_of(found(one_each(picked), folder)) == expected_of(picked, entries=(0, 1, 2))


@given(pairs_of_fields().filter(lambda pair: all(map(_in_value, pair))))
@settings(max_examples=80)
def test_no_bad_field_hides_another_of_its_entry(folder: Path, pair: tuple[Case, Case]) -> None:
    text = catalog(subject(pair[0].home, pair[0].change | pair[1].change))
    assert found_of(found(text, folder)) == expected_of(pair, entries=(0, 0))


@pytest.mark.parametrize("syntax", ["    description: [a, b\n", "\tdescription: x\n", "    description: 'a' b\n"])
@pytest.mark.parametrize("case", [case for case in ALONE_ON_A_LINE if _in_value(case)][::6], ids=str)
def test_a_syntax_error_in_one_entry_hides_nothing_in_the_others(case: Case, syntax: str, folder: Path) -> None:
    text = catalog(subject("local") + syntax, subject(case.home, case.change, 1), subject("local", {}, 2))
    findings = found(text, folder)
    assert Counter(codes(findings)) == Counter(["AL101", case.code]), told(findings)
    (finding,) = (f for f in findings if f.code == case.code)
    assert finding.span
    assert finding.span.line in lines_of(case, text, "subject-two")


Key = tuple[str, str, str, str]


def keyed(findings: Sequence[Finding], ids: Sequence[str]) -> Counter[Key]:
    """Each finding by what it says, its entry by name instead of number."""
    keys = []
    for finding in findings:
        parts = finding.pointer.split("/")
        if len(parts) > 2 and parts[1] == "models":
            parts[2] = ids[int(parts[2])]
        keys.append((finding.code, finding.severity, "/".join(parts), finding.message))
    return Counter(keys)


@given(st.tuples(*[st.sampled_from(ALONE_ON_A_LINE)] * 3), st.permutations(range(5)))
@settings(max_examples=60)
def test_the_order_of_entries_changes_nothing_that_is_found(folder: Path, picked: Picked, order: list[int]) -> None:
    ids = ("spare-a", "spare-b", *SUBJECTS)
    blocks = [
        entry("spare-a", SPARE),
        entry("spare-b", SPARE | {"provides": "[streaming, tool-use]"}),
        *(subject(case.home, case.change, number) for number, case in enumerate(picked)),
    ]
    straight = found(catalog(*blocks, spares=""), folder)
    shuffled = found(catalog(*(blocks[number] for number in order), spares=""), folder)
    assert keyed(shuffled, [ids[number] for number in order]) == keyed(straight, ids)


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


@given(scenarios(min_entries=2), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_colliding_entries_changes_nothing_that_is_found(
    folder: Path, scenario: Scenario, shuffler: random.Random
) -> None:
    entries = list(scenario.entries)
    shuffler.shuffle(entries)
    shuffled = Scenario(tuple(entries), scenario.ask, scenario.widened)
    before = keyed(found(document(scenario), folder), [one["id"] for one in scenario.entries])
    after = keyed(found(document(shuffled), folder), [one["id"] for one in entries])

    def told_of(key: Key) -> bool:
        return key[0] not in {"AL502", "AL503"}  # they stand at the first entry of the class

    assert {key: n for key, n in after.items() if told_of(key)} == {key: n for key, n in before.items() if told_of(key)}
    cells = [Counter((c, s, m) for c, s, _, m in keys if c in {"AL502", "AL503"}) for keys in (before, after)]
    assert cells[0] == cells[1]


def shifted(findings: Sequence[Finding], lines: int = 0) -> list[tuple[Any, ...]]:
    return [
        (f.code, f.severity, f.pointer, f.message, f.hint, f.span and (f.span.line + lines, f.span.column),
         f.span and (f.span.end_line + lines, f.span.end_column),
         [(r.message, r.span and r.span.line + lines) for r in f.related])
        for f in findings
    ]  # fmt: skip


BAD = "".join(
    subject(case.home, case.change, number).replace(SUBJECTS[number], f"s-{index}")
    for index, case in enumerate(ALONE_ON_A_LINE[::9])
    for number in [index % 3]
)
MESS = catalog(BAD, entry("spare-a", SPARE))


@given(st.lists(st.sampled_from(["", "# words", "   # é 😀", "#", "# a: [b", "# - id: x"]), max_size=7))
@example(["# aldo"] * 40)
def test_comment_lines_in_front_shift_every_finding_and_change_nothing_else(folder: Path, lines: list[str]) -> None:
    front = "".join(f"{line}\n" for line in lines)
    assert shifted(found(front + MESS, folder)) == shifted(found(MESS, folder), len(lines))


@pytest.mark.parametrize("change", ["\r\n", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_change_nothing(change: str, folder: Path) -> None:
    other = MESS.replace("\n", "\r\n") if change == "\r\n" else change + MESS
    assert shifted(found(other, folder)) == shifted(found(MESS, folder))


@given(st.tuples(*[st.sampled_from([case for case in ALONE_ON_A_LINE if case.code[2] in "2345"])] * 3))
@settings(max_examples=60)
def test_flow_style_on_one_line_a_field_finds_the_same_as_block_style(folder: Path, picked: Picked) -> None:
    text = one_each(tuple(case for case in picked if _in_value(case)))
    flow = []
    for line in text.splitlines():
        if line.startswith("  - "):
            flow.append(("" if not flow or flow[-1] == "models: [" else "},") + "{ " + line[4:] + ",")
        elif line == "models:":
            flow.append("models: [")
        elif line.startswith("    "):
            flow.append(line[4:] + ",")
        else:
            flow.append(line + ",")
    other = "{" + "\n".join(flow) + "}]}\n"
    ids = ("spare-a", "spare-b", *SUBJECTS)
    assert keyed(found(other, folder), ids) == keyed(found(text, folder), ids)


UNRELATED = (
    {"capabilityClass": "coding-frontier", "privacyAllowed": "[public, internal, sensitive]"},
    {"capabilityClass": "embeddings", "cost": _cost("0", "0")},
    {"capabilityClass": "fast-draft", "latencyP95Ms": "100", "description": "two of them"},
)


@given(st.tuples(*[st.sampled_from(ALONE_ON_A_LINE)] * 3), st.sampled_from(UNRELATED))
@settings(max_examples=80)
def test_two_good_entries_of_another_class_add_no_findings(folder: Path, picked: Picked, change: Change) -> None:
    text = one_each(picked)
    more = "".join(
        entry(f"new-{tag}", LOCAL | {"provides": f"[streaming, {tag}]"}, change) for tag in ("rerank", "long-output")
    )
    assert shifted(found(text + more, folder)) == shifted(found(text, folder))


@pytest.mark.parametrize(
    "picked",
    [ALONE_ON_A_LINE[n : n + 3] for n in range(0, len(ALONE_ON_A_LINE) - 2, 9)],
    ids=lambda picked: picked[0].code,
)
def test_selecting_a_code_finds_what_all_rules_find_of_it(picked: Picked, folder: Path) -> None:
    everything = found(one_each(picked), folder)
    for code in set(codes(everything)):
        only_it = [f for f in everything if f.code == code]
        stops = [f for f in everything if f.code.startswith("AL1") and f.severity == "error"]  # told in any case
        selected = [f for f in everything if f in only_it or f in stops]
        assert shifted(found(one_each(picked), folder, select=[code])) == shifted(selected)
        left = [f for f in everything if f.code != code or f in stops]
        assert shifted(found(one_each(picked), folder, ignore=[code])) == shifted(left)


ANCHORED = catalog(
    subject("local", {"provides": "&tags [streaming, vision]", "cost": "&free { usdPerMtokIn: 0, usdPerMtokOut: 0 }"}),
    subject("cloud", {"provides": "*tags", "privacyAllowed": "&tiers [public, internal]"}, 1),
    subject("cloud", {"provides": "[streaming, audio-in]", "privacyAllowed": "*tiers"}, 2),
    entry("last", LOCAL | {"provides": "[streaming, rerank]"}, {"cost": "*free"}),
)


def test_anchors_and_aliases_are_as_good_as_what_they_stand_for(folder: Path) -> None:
    findings = found(ANCHORED, folder)
    assert [(f.code, f.pointer) for f in findings if not f.code.startswith("AL5")] == []


def test_an_alias_that_is_wrong_where_it_is_used_is_told_where_it_is_used(folder: Path) -> None:
    text = catalog(
        subject("local", {"privacyAllowed": "&tiers [public, internal, sensitive]"}),
        subject("cloud", {"privacyAllowed": "*tiers"}, 1),
    )
    (finding,) = found(text, folder)
    assert finding.code == "AL301"
    assert finding.pointer.startswith("/models/3/privacyAllowed")
    assert finding.span
    assert finding.span.line == line_of(text, "subject-two", "privacyAllowed")


def test_a_comment_above_the_entry_holds_for_what_it_has_by_alias(folder: Path) -> None:
    text = catalog(
        subject("local", {"privacyAllowed": "&tiers [public, internal, sensitive]"}),
        "  # aldo: ignore[AL301] cleared\n" + subject("cloud", {"privacyAllowed": "*tiers"}, 1),
    )
    assert told(found(text, folder)) == []


def test_no_fix_for_one_entry_edits_what_another_has_by_alias(folder: Path) -> None:
    text = catalog(
        subject("local", {"privacyAllowed": "&tiers [public, internal, sensitive]"}),
        subject("cloud", {"privacyAllowed": "*tiers"}, 1),
    )
    (finding,) = found(text, folder)
    shared = range(text.index("&tiers"), text.index("\n", text.index("&tiers")))
    edits = finding.fix.edits if finding.fix else ()
    assert not [edit for edit in edits if edit.start in shared]


def test_a_free_price_by_alias_on_a_cloud_entry_is_told_once(folder: Path) -> None:
    text = catalog(
        subject("local", {"cost": "&free { usdPerMtokIn: 0, usdPerMtokOut: 0 }"}),
        subject("cloud", {"cost": "*free"}, 1),
    )
    (finding,) = found(text, folder)
    assert (finding.code, finding.pointer[:9]) == ("AL401", "/models/3")


# Second opinions: the router and the egress guard.

ADDRESSES = (
    *("127.0.0.1", "127.9.8.7", "126.255.255.255", "128.0.0.0", "0.0.0.0", "10.1.2.3", "10.2.0.0", "192.168.1.20"),
    *("169.254.169.254", "::1", "::", "::2", "fe80::1", "fd00::1", "fe00::", "::ffff:127.0.0.1", "::ffff:10.1.0.1"),
    *("::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "2001:db8::1", "2002:7f00:1::"),
)
NETWORKS = (
    (),
    ("10.1.0.0/16",),
    ("192.168.1.20", "fd00::/8"),
    ("8.8.8.8", "172.16.0.0/12", "fc00::/7"),
    ("10.1.2.3/16", "fe80::/10"),
)


@pytest.mark.parametrize("networks", NETWORKS, ids=str)
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_local_address_is_told_exactly_when_the_egress_guard_refuses_it(
    address: str, networks: tuple[str, ...], folder: Path
) -> None:
    url = f"http://[{address}]:8081" if ":" in address else f"http://{address}:8081"
    head = f"routing: {{ localNetworks: {json.dumps(networks)} }}\n"
    told_of = "AL302" in codes(found(catalog(subject("local", {"providerConfig": _local(url)}), head=head), folder))
    assert told_of is not EgressPolicy(networks).admits(address, address)


GRID = tuple(
    itertools.product(
        (
            (),
            ("tool-use",),
            ("vision",),
            ("house-tag",),
            ("tool-use", "vision"),
            ("vision", "house-tag"),
            ("streaming",),
        ),
        ("public", "internal", "sensitive"),
        (None, ("local",), ("on-prem",), ("cloud",), ("on-prem", "cloud")),
    )
)


def asked(scenario: Scenario, picks: random.Random) -> list[RouteRequest]:
    """Requests of at least one token each way at every class, requirement and tier, sizes at the entries' limits."""
    sizes = {1, 2, 256, 1_000_003} | {
        one[key] - delta
        for one in scenario.entries
        for key in ("effectiveContextTokens", "maxOutputTokens", "servedContextTokens")
        if key in one
        for delta in (0, 1, 2)
    }
    budgets = [None, None, Decimal(0), Decimal("0.0000005"), Decimal("0.000003"), Decimal("0.5")]
    positive = sorted(size for size in sizes if size > 0)
    return [
        RouteRequest(
            capability_class=picks.choice(("fast-draft", "fast-draft", "reasoning-small", "house-class")),
            privacy=privacy,
            requires=requires,
            tokens_in=picks.choice(positive),
            max_tokens_out=picks.choice(positive),
            localities=localities,
            budget_usd=picks.choice(budgets),
        )
        for requires, privacy, localities in GRID
    ]


@given(scenarios(min_entries=2), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_what_lint_calls_never_first_no_request_ever_chooses(
    folder: Path, scenario: Scenario, picks: random.Random
) -> None:
    findings = found(document(scenario), folder, select=["AL501"])
    never = {scenario.entries[int(f.pointer.split("/")[2])]["id"] for f in findings}
    unreachable = {scenario.entries[int(f.pointer.split("/")[2])]["id"] for f in findings if f.severity == "warning"}
    value = scenario.catalog()
    for request in asked(scenario, picks):
        chain = candidates(value, request)
        assert not never & set(chain[:1]), (request, told(findings))
        assert not unreachable & set(chain), (request, told(findings))


def asked_for(one: Mapping[str, Any], rivals: Sequence[Mapping[str, Any]]) -> list[RouteRequest]:
    """The requests that favour an entry: all it provides, its own locality, sizes of every shape up to its limits."""
    context = min(one["effectiveContextTokens"], one.get("servedContextTokens", 10**9))
    longest = min(one.get("maxOutputTokens", context), context - 1)
    steps = {1, 2, 3, 7, 20, 100, 1000, 10**4, 10**5, 10**6, longest}
    outs = {n for n in steps | {rival.get("maxOutputTokens", 0) + 1 for rival in rivals} if 0 < n <= longest}
    return [
        RouteRequest(
            capability_class=one["capabilityClass"],
            privacy=tier,
            requires=tuple(one["provides"]),
            tokens_in=size,
            max_tokens_out=out,
            localities=(one["locality"],),
        )
        for tier in one["privacyAllowed"]
        for out in outs
        for size in {n for n in (*steps, context - out) if 0 < n <= context - out}
    ]


@given(scenarios(min_entries=2, max_entries=4))
@settings(max_examples=60)
def test_what_lint_does_not_call_never_first_some_request_chooses(folder: Path, scenario: Scenario) -> None:
    findings = found(document(scenario), folder, select=["AL501", "AL504"])
    told_of = {scenario.entries[int(f.pointer.split("/")[2])]["id"] for f in findings}
    value = scenario.catalog()
    for one in scenario.entries:
        requests = asked_for(one, scenario.entries)
        if one["id"] in told_of or not one.get("enabled", True) or not requests:
            continue
        assert any(candidates(value, request)[:1] == (one["id"],) for request in requests), (one["id"], told(findings))


@given(scenarios(min_entries=2, max_entries=4), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_cells_are_told_exactly_where_the_router_has_none_or_one(
    folder: Path, scenario: Scenario, picks: random.Random
) -> None:
    findings = found(document(scenario), folder, select=["AL502", "AL503"])
    value = scenario.catalog()
    live = [one for one in scenario.entries if one.get("enabled", True)]
    for name in {one["capabilityClass"] for one in live}:
        for tier in TIERS:
            filled = [
                one
                for one in live
                if one["capabilityClass"] == name
                and tier in one["privacyAllowed"]
                and (tier != "sensitive" or one["locality"] in scenario.sensitive)
            ]
            about = [f for f in findings if f" {name} " in f"{f.message} "]
            said = {f.code for f in about if tier in f.message or not any(word in f.message for word in TIERS)}
            expected = {0: {"AL502"}, 1: {"AL503"}}.get(len(filled), set())
            assert said == expected, (name, tier, told(findings))
            if not filled:
                assert candidates(value, RouteRequest(capability_class=name, privacy=tier, tokens_in=0)) == ()


@pytest.mark.parametrize("name", sorted(CAPABILITIES))
def test_no_built_in_tag_is_near_another(name: str, folder: Path) -> None:
    context = {"effectiveContextTokens": "2000000"} if name.endswith("-context") else {}
    text = catalog(subject("local", {"provides": f"[streaming, OWN, {name}]", **context}))
    if name not in ("streaming", "vision"):
        assert "AL201" not in codes(found(text, folder))


@pytest.mark.parametrize("name", sorted(CAPABILITY_CLASSES))
def test_no_built_in_class_is_near_another(name: str, folder: Path) -> None:
    assert told(found(catalog(subject("local", {"capabilityClass": name})), folder, ignore=["AL5"])) == []
