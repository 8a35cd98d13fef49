"""Whatever servers list, are called or state, the overlay loads; nothing is raised."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aldo.schema import Catalog
from aldo.transport.probes import Discovery
from aldo.transport.probes.projection import normalised
from tests.transport.discovery.discovering import (
    ALL,
    PORTS,
    Handler,
    check_overlay,
    check_tags,
    over,
    states,
    table,
    vllm_of,
)


def named(names: Iterable[str], junk: list[Any], context: Any) -> dict[str, Handler]:
    """By runtime: a server that lists these names, and things that are no models."""
    names = list(names)
    rows = [{"id": name, "owned_by": "vllm", "max_model_len": context} for name in names]
    info = {"general.architecture": "a", "a.context_length": context}
    shown = {"capabilities": ["completion", 1, None, "tools"], "model_info": info, "parameters": f"num_ctx {context}"}
    studio = [{"id": name, "type": "llm", "state": "loaded", "loaded_context_length": context} for name in names]
    settings_ = {"default_generation_settings": {"n_ctx": context}}
    return {
        "ollama": table({"/api/tags": {"models": [*junk, *({"name": name} for name in names)]}, "/api/show": shown}),
        "lmstudio": table({"/api/v0/models": {"data": [one for one in junk if not isinstance(one, dict)] + studio}}),
        "vllm": table({"/v1/models": {"data": [*junk, *rows]}}),
        "llamacpp": table({"/props": settings_, "/v1/models": {"data": [*junk, *({"id": name} for name in names)]}}),
        "mlx": table(
            {"/health": {"status": "ok"}, "/v1/models": {"object": "list", "data": [{"id": name} for name in names]}}
        ),
    }


def by_port(handlers: Mapping[str, Handler]) -> Handler:
    runtimes = {port: name for name, port in PORTS.items()}
    return lambda request: handlers[runtimes[request.url.port or 0]](request)


def check_law(names: list[str], junk: list[Any], context: Any, catalog: Catalog | None, directory: Path) -> Discovery:
    found = over(by_port(named(names, junk, context)), catalog)
    assert set(states(found)) == set(ALL)
    check_tags(found)
    check_overlay(found, directory)
    return found


def check_none_is_missing(found: Discovery) -> None:
    taken = {one["id"] for one in found.entries} | set(found.known)
    for one in found.found:
        assert {normalised(name) for name in one.models if name} <= taken


PIECES = ["qwen3", "llama3.2", "coder", "yes", "null", "1.0", "0x1f", "2026-01-01", "~", "#", ": ", "- ", "*a", "&a",
          "!x", "%", "`", "'", '"', "\\", "{", "}", "[", "]", ",", "?", "|", ">", "\t", "\n", "\r", "\0", "\x85",
          "\u2028", "\ufeff", "\x1b[31m", "é", "İ", "ß", "模型", "🦙", "\u202e", "_", ":", "/", ".gguf", ":latest"]  # fmt: skip
JUNK = st.lists(
    st.one_of(
        st.none(),
        st.integers(),
        st.text(max_size=5),
        st.just([]),
        st.fixed_dictionaries({"id": st.one_of(st.none(), st.integers(), st.just([]), st.just({}), st.just(""))}),
        st.fixed_dictionaries({"name": st.one_of(st.none(), st.floats(), st.just([{}]), st.just(""))}),
    ),
    max_size=3,
)
CONTEXTS = st.one_of(st.integers(1, 10**12), st.sampled_from([None, 0, -5, 1, 2048, True, "8192", 1.5, [], {}, 10**12]))
TEXT = st.characters(exclude_categories=["Cs"])
NAMED = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join),
    st.text(TEXT, max_size=20),
    st.sampled_from(["", "/", "...", "-", "m" * 180, "Org/" * 500 + "m"]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(NAMED, max_size=4), JUNK, CONTEXTS, st.booleans())
def test_whatever_servers_list_the_overlay_loads(
    tmp_path: Path, shipped: Catalog, names: list[str], junk: list[Any], context: Any, known: bool
) -> None:
    check_none_is_missing(check_law(names, junk, context, shipped if known else None, tmp_path))


BROKEN = {
    "an id begins with @ or +": ["@cf/x/", "+model"],
    "an id is longer than a name may be": ["m" * 201],
    "a wire name is longer than a text may be": ["/" + "o" * 10_000 + "/m"],
    "a name is no Unicode": ["\ud800"],
}


@pytest.mark.parametrize("names", BROKEN.values(), ids=BROKEN)
def test_whatever_servers_are_called_the_overlay_loads(names: list[str], tmp_path: Path) -> None:
    check_law(names, [], 4096, None, tmp_path)


@pytest.mark.xfail(strict=True, reason="a name like a date is written without quotes: YAML 1.1 makes a date of it")
def test_a_model_that_is_called_like_a_date_keeps_its_name() -> None:
    found = over(vllm_of("2026-01-01"), None, "vllm")
    assert yaml.safe_load(found.overlay()) == found.value()


@pytest.mark.parametrize("context", [10**12 + 1, 10**30])
def test_whatever_context_servers_state_the_overlay_loads(context: int, tmp_path: Path) -> None:
    check_law(["model"], [], context, None, tmp_path)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.text(max_size=250), max_size=4), st.one_of(CONTEXTS, st.integers()))
@example(["\ud800"], 1)
@example(["@"], 1)
@example(["m" * 201], 1)
@example(["m"], 10**13)
def test_whatever_servers_list_at_all_the_overlay_loads(tmp_path: Path, names: list[str], context: Any) -> None:
    check_law(names, [], context, None, tmp_path)


BODIES = st.one_of(
    st.binary(max_size=30),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(TEXT, max_size=6)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(["data", "models", "id", "name", "error", "status", "state", "type", "n_ctx", "meta",
                                 "capabilities", "model_info", "default_generation_settings", "max_model_len"]),
                inner, max_size=4,
            ),
        ),
        max_leaves=10,
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from([200, 200, 401, 404, 503]), BODIES), min_size=1, max_size=12))
def test_whatever_bodies_come_nothing_is_raised(tmp_path: Path, answers: list[tuple[int, bytes]]) -> None:
    count = 0

    def handler(_: httpx.Request) -> httpx.Response:
        nonlocal count
        status, body = answers[count % len(answers)]
        count += 1
        return httpx.Response(status, content=body)

    found = over(handler)
    assert set(states(found)) == set(ALL)
    assert all(one.detail and one.state in ("up", "loading", "locked", "down") for one in found.found)
    check_overlay(found, tmp_path)
