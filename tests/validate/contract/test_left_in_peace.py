"""What is fine is left in peace, however near it comes to a defect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.validate.contract.catalogs import (
    HOMES,
    HOUSE,
    NEAR,
    WIDE,
    at_url,
    catalog,
    costing,
    found,
    subject,
    told,
    with_knobs,
)


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
    _clean("mlx", providerConfig=with_knobs("samplerSeed: 7, draftModel: a/b, topK: 0, minP: 1, quantization: bf16")),
    _clean("mlx", providerConfig=with_knobs("chatTemplateKwargs: { enable_thinking: false, anything: [1] }")),
    _clean("mlx", provides="[streaming, tool-use, function-calling, reasoning, OWN]"),
    _clean("local", provides="[streaming, structured-output, json-mode, constrained-decoding, OWN]"),
    # base URLs
    *(
        _clean("local", providerConfig=at_url(url))
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
        _clean(home, NEAR, providerConfig=at_url(url))
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
    _clean("cloud", capabilityClass="embeddings", provides="[embeddings, OWN]", cost=costing("0.02", "0")),
    _clean("cloud", provides="[embeddings, OWN]", cost=costing("0.02", "0")),
    _clean("cloud", provides="[rerank, OWN]", cost=costing("0.02", "0")),
    _clean("local", cost=costing("0", "0")),
    _clean("on-prem", cost=costing("0", "0")),
    _clean("local", cost=costing("0.000002", "0.00001")),
    _clean("cloud", cost=costing("0.005", "0.005")),
    _clean("cloud", cost=costing("0.01", "0.02")),
    _clean("cloud", cost=costing("2", "2")),
    _clean("cloud", cost=costing("150", "600")),
    _clean("cloud", cost=costing("0.14", "0.28", ", usdPerMtokCacheRead: 0.0028")),
    _clean("cloud", cost=costing("2", "10", ", usdPerMtokCacheRead: 2")),
    _clean("cloud", cost=costing("2", "10", ", usdPerMtokCacheRead: 0")),
    _clean("cloud", cost=costing("2", "10", ", usdPerMtokCacheWrite: 2.5")),
    _clean("cloud", cost=costing("2.0", "10", ", usdPerMtokCacheRead: 2.000000")),
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


@pytest.mark.parametrize("text", ["---\n{}", "{}...\n", "%YAML 1.2\n---\n{}", "\ufeff{}", "\n\n{}\n\n", "{}# end"])
def test_one_document_may_be_marked_as_such(text: str, folder: Path) -> None:
    assert told(found(text.replace("{}", catalog(subject("local"))), folder)) == []
