"""What an audit sends, and to whom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aldo.schema.vocabulary import CAPABILITIES
from tests.support.fake_server import FakeServer
from tests.transport.audit.able_server import able
from tests.transport.audit.auditing import audited, model, verdicts
from tests.transport.conftest import Connections


def test_what_is_asked_holds_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = {name: f"zebra-{name.lower()}-launch-code" for name in ("OPENAI_API_KEY", "HOME", "USER", "ALDO_X", "K2")}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    tags = [tag for tag in CAPABILITIES if not tag.endswith("-context")]
    with FakeServer([able(*tags)]) as server:
        it = model(server.url, *tags, config={"apiKeyEnv": "K1"}, description="zebra-description")
        audited(it, deep=True, environ={**secrets, "K1": "its-own-key"})
        for seen in server.seen:
            everything = f"{seen.target} {dict(seen.headers)} {seen.body!r}"
            assert "zebra" not in everything
            assert tmp_path.name not in everything
            assert seen.headers["authorization"] == "Bearer its-own-key"
        assert len(server.seen) > 15


def test_only_the_entrys_own_server_is_asked(connections: Connections) -> None:
    with FakeServer([able("streaming")]) as server:
        audited(model(server.url), environ={"MLX_BASE_URL": "http://192.0.2.1", "OPENAI_BASE_URL": "http://192.0.2.1"})
        assert {port for _, port in connections.addresses} == {server.port}


def test_a_cloud_entry_that_is_named_is_asked_with_its_key() -> None:
    with FakeServer([able("streaming")]) as server:
        it = model(server.url, "streaming", "vision", provider="acme", locality="cloud", privacyAllowed=["public"])
        it["providerConfig"]["apiKeyEnv"] = "K"
        missing = audited(it)
        assert server.seen == []
        found = audited(it, environ={"K": "s3cret"})
        assert all(seen.method == "POST" for seen in server.seen)
    assert missing.unreachable
    assert "K" in missing.unreachable
    assert verdicts(found) == {"context": "unclear", "streaming": "confirmed", "vision": "refuted"}
    assert "s3cret" not in json.dumps(found.to_dict())


@pytest.mark.parametrize("tiers", [["sensitive"], ["internal"], ["public"], ["internal", "sensitive"]])
def test_an_entry_is_asked_as_of_a_tier_that_it_takes(tiers: list[str]) -> None:
    with FakeServer([able("streaming")]) as server:
        assert audited(model(server.url, privacyAllowed=tiers)).holds
