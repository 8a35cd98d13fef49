"""`resolve` trusts neither a foreign decision nor the environment."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from aldo.errors import EgressRefused, UsageError
from aldo.router import route
from aldo.schema import Catalog, Decision, RouteRequest
from aldo.transport import resolve
from aldo.transport.pool import Pool, Reach
from tests.schema.test_types import ENTRY

EVERYWHERE = {"sensitiveLocalities": ["local", "on-prem", "cloud"]}
ALL = ["public", "internal", "sensitive"]


def catalog_of(routing: dict[str, Any] | None = None, **change: Any) -> Catalog:
    entry = ENTRY | {"privacyAllowed": ALL, "provider": "ollama", "providerKind": "openai-compat"} | change
    return Catalog.model_validate({"models": [entry], "routing": routing or {}})


def decide(catalog: Catalog, privacy: str = "sensitive") -> Decision:
    return route(catalog, RouteRequest(capability_class="fast-draft", privacy=privacy))


def test_a_decision_from_another_catalog_is_refused() -> None:
    mine = catalog_of()
    theirs = catalog_of(locality="cloud", providerConfig={"baseUrl": "https://evil.test"})
    with pytest.raises(UsageError, match="another catalog"):
        resolve(theirs, decide(mine))


def test_a_forged_decision_for_a_forbidden_entry_is_refused() -> None:
    """The router would not make it; the second wall does not rely on that."""
    for change in ({"locality": "cloud"}, {"privacyAllowed": ["public"]}):
        catalog = catalog_of(providerConfig={"baseUrl": "https://evil.test"}, **change)
        honest = decide(catalog, "public")
        request = RouteRequest(capability_class="fast-draft", privacy="sensitive")
        forged = Decision("m", "fast-draft", request, honest._source)
        with pytest.raises(EgressRefused):
            resolve(catalog, forged)


def test_where_sensitive_requests_may_cross_the_catalog_alone_says_where_they_go() -> None:
    catalog = catalog_of(EVERYWHERE, locality="cloud", providerConfig={"baseUrl": "https://mine.test"})
    moved = {"OLLAMA_BASE_URL": "http://attacker.test", "HTTPS_PROXY": "http://attacker.test"}
    with resolve(catalog, decide(catalog), environ=moved) as client:
        assert client.base_url == "https://mine.test/v1"
        (reach,) = {binding.reach for binding in client._plan.bindings}
        assert reach == Reach(guarded=False, proxies=False)
        assert Pool().client(reach).trust_env is False
    with resolve(catalog, decide(catalog, "public"), environ=moved) as client:
        assert client.base_url == "http://attacker.test/v1"


@pytest.mark.parametrize(
    ("kind", "extra", "said"),
    [
        ("mlx", {"samplerSed": 1}, "samplerSed"),
        ("mlx", {"samplerSeed": "1"}, "samplerSeed"),
        ("openai-compat", {"maxTokensField": "messages"}, "maxTokensField"),
    ],
)
def test_a_knob_that_its_kind_does_not_take_is_told_before_anything_is_sent(kind: str, extra: Any, said: str) -> None:
    catalog = catalog_of(providerKind=kind, providerConfig={"baseUrl": "http://127.0.0.1:9", "extra": extra})
    with pytest.raises(UsageError, match=said):
        resolve(catalog, decide(catalog))


def test_a_password_in_a_base_url_is_not_told() -> None:
    catalog = catalog_of()
    for url in ("ftp://u:s3cretpass@h", "u:s3cretpass@host:1", "http://u:s3cretpass@h:port"):
        with pytest.raises(UsageError) as caught:
            resolve(catalog, decide(catalog), environ={"OLLAMA_BASE_URL": url})
        assert "s3cretpass" not in str(caught.value)


def test_cached_prompt_tokens_are_billed_at_their_own_price() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    message = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "usage": usage}
    cost = {"usdPerMtokIn": 10, "usdPerMtokOut": 100, "usdPerMtokCacheRead": 1}
    for priced, usd in ((cost, "0.000264"), ({**cost, "usdPerMtokCacheRead": None}, "0.0003")):
        catalog = catalog_of(cost=priced, providerConfig={"baseUrl": "http://x"})
        http = httpx.MockTransport(lambda request: httpx.Response(200, json=message))
        from aldo.transport import ChatRequest

        with resolve(catalog, decide(catalog), http=http) as client:
            assert client.chat(ChatRequest(messages=({"role": "user", "content": "hi"},))).usd == usd
