"""Every defect that an entry can have by itself: where it is told and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.validate.contract.catalogs import (
    HOUSE,
    KEY,
    NEAR,
    OPENAI_KEY,
    SECRETS,
    WIDE,
    at_url,
    costing,
    line_of,
    with_knobs,
)


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
    _e("AL106", "cost", costing("-1", "0"), "negative", pointer="/cost/usdPerMtokIn"),
    _e("AL106", "cost", costing("0.0000001", "0"), "six", pointer="/cost/usdPerMtokIn"),
    _e("AL106", "cost", costing("1", "-1"), "negative", pointer="/cost/usdPerMtokOut"),
    _e("AL106", "cost", costing("2", "10", ", usdPerMtokCacheRead: 3.0000001"), home="cloud",
       pointer="/cost/usdPerMtokCacheRead"),
    _e("AL105", "cost", costing("2", "'1'"), home="cloud", pointer="/cost/usdPerMtokOut"),
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
    _e("AL204", "providerConfig", with_knobs("samplerSed: 7"), "samplerSed", "samplerSeed", home="mlx",
       pointer="/providerConfig/extra/samplerSed"),
    _e("AL204", "providerConfig", with_knobs("kv_bits: 4"), "kv_bits", home="mlx", pointer="/providerConfig/extra/kv_bits"),
    _w("AL204", "providerConfig", with_knobs("reasoningEfort: low"), "reasoningEfort", "reasoningEffort",
       pointer="/providerConfig/extra/reasoningEfort"),
    _e("AL205", "providerConfig", with_knobs("samplerSeed: lucky"), "samplerSeed", "integer", home="mlx",
       pointer="/providerConfig/extra/samplerSeed"),
    _e("AL205", "providerConfig", with_knobs("minP: 1.5"), "minP", "1", home="mlx", pointer="/providerConfig/extra/minP"),
    _e("AL205", "providerConfig", with_knobs("numDraftTokens: 0"), "numDraftTokens", home="mlx",
       pointer="/providerConfig/extra/numDraftTokens"),
    _e("AL205", "providerConfig", with_knobs("sampling: never"), "sampling", pointer="/providerConfig/extra/sampling"),
    _e("AL205", "providerConfig", with_knobs("maxTokensField: tokens"), "max_tokens", "max_completion_tokens",
       pointer="/providerConfig/extra/maxTokensField"),
    _i("AL206", "providerConfig", with_knobs("kvCacheQuantized: true"), "kvCacheQuantized", "--kv-bits", home="mlx",
       pointer="/providerConfig/extra/kvCacheQuantized"),
    *(
        _w("AL207", "provides", f"[streaming, {tag}, OWN]", tag, "mlx", home="mlx", pointer="/provides/1")
        for tag in ("embeddings", "structured-output", "json-mode", "constrained-decoding")
    ),
    *(
        _e("AL208", "providerConfig", at_url(url), home=home, pointer="/providerConfig/baseUrl")
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
        _e("AL302", "providerConfig", at_url(url), home="local", pointer="/providerConfig/baseUrl",
           advises=("localNetworks",))
        for url in ELSEWHERE
    ),
    *(
        _e("AL302", "providerConfig", at_url(url), home="local", pointer="/providerConfig/baseUrl", head=NEAR)
        for url in ("http://10.2.0.1:8000", "http://192.168.1.21", "http://[fe00::1]", "http://a.studio.lan")
    ),
    *(
        _w("AL303", "providerConfig", at_url(url), home=home, pointer="/providerConfig/baseUrl", advises=("https",))
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
    _w("AL401", "cost", costing("0", "0"), home="cloud"),
    _w("AL401", "cost", costing("0.0", "0.000"), home="cloud"),
    _w("AL401", "cost", costing("0", "10"), home="cloud"),
    _w("AL402", "cost", costing("0.000002", "0.00001"), home="cloud"),
    _w("AL402", "cost", costing("0.002", "0.004"), home="cloud"),
    _w("AL402", "cost", costing("0.002", "0.004"), home="on-prem"),
    _w("AL402", "cost", costing("0.000002", "10"), home="cloud"),
    _w("AL403", "cost", costing("10", "2"), home="cloud"),
    _w("AL403", "cost", costing("2.000001", "2"), home="cloud"),
    _w("AL403", "cost", costing("2", "0.5"), home="on-prem"),
    _w("AL403", "cost", costing("3", "1"), home="local"),
    _w("AL404", "cost", costing("2", "10", ", usdPerMtokCacheRead: 2.000001"), home="cloud"),
    _w("AL404", "cost", costing("2", "10", ", usdPerMtokCacheRead: 2.5, usdPerMtokCacheWrite: 2.5"), home="cloud"),
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


def lines_of(case: Case, text: str, model: str) -> set[int]:
    """Where the case may be told: at its field, or at the other field that it contradicts."""
    keys = [key for key, value in case.change.items() if value is not None]
    return {line_of(text, model, key) for key in keys if key == case.at or case.code == "AL405"}
