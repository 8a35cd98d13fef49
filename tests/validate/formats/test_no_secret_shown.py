"""A secret in a catalog is found wherever it stands, and no report shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.errors import CatalogError
from aldo.validate import FORMATS, lint, render
from aldo.validate.example import ENTRY, HEADER, MINIMAL, changed, configured
from aldo.validate.fix import fix_files
from tests.support.cli import aldo
from tests.validate.formats.reading_reports import TODAY, linted

SECRET = "s3cr3tV4lue99"
KEYS = [
    "sk-proj-abcdefGHIJKL0123456789", "sk-ant-api03-AbCdEf0123456789_-xyzXYZ", "gsk_abcdefghij0123456789ABCDEF", "hf_AbCdEfGhIjKlMnOpQrStUvWx",
    "xai-abcdefghij0123456789ABCDEF", "AIzaSyA0123456789abcdefghijklmnopqrstuv", "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "github_pat_11ABCDEFG0abcdefghij_0123456789", "glpat-abcdefghij0123456789", "xoxb-123456789012-abcdefghij", "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
]  # fmt: skip
KEY_PLACES: dict[str, Callable[[str], str]] = {
    "id": lambda s: changed("id: qwen", f"id: {s}"),
    "duplicate id": lambda s: changed("id: qwen", f"id: {s}").replace("id: gemma", f"id: {s}"),
    "key": lambda s: changed("    provider: mlx\n", f"    provider: mlx\n    {s}: x\n"),
    "class": lambda s: changed("capabilityClass: local-reasoning", f"capabilityClass: {s}"),
    "tag": lambda s: changed("[streaming, tool-use]", f"[streaming, {s}]"),
    "number": lambda s: changed("effectiveContextTokens: 32768", f"effectiveContextTokens: {s}"),
    "base URL": lambda s: configured(f"{{ baseUrl: {s} }}"),
    "knob": lambda s: configured(f"{{ extra: {{ {s}: 1 }} }}"),
    "knob value": lambda s: configured(f"{{ extra: {{ samplerSeed: {s} }} }}"),
    "model": lambda s: configured(f"{{ model: {s}, baseURL: x }}"),
    "comment": lambda s: changed("locality: local", f"locality: lcal  # key {s}"),
    "comment above": lambda s: changed("    provider: mlx\n", f"    # {s}\n    provider: NO\n"),
    "broken line": lambda s: changed("provider: mlx", f"provider: '{s}' mlx"),
    "unfinished": lambda s: changed("provider: mlx", f"provider: [{s}"),
    "section": lambda s: f"{MINIMAL}{s}: 1\n",
    "apiVersion": lambda s: changed("aldo/models.v1", s),
    "document": lambda s: s,
    "second document": lambda s: f"{MINIMAL}--- {s}\n",
    "alias": lambda s: changed("provider: mlx", f"provider: *{s}"),
    "YAML tag": lambda s: changed("provider: mlx", f"provider: !{s} mlx"),
    "replacement": lambda s: changed(
        "    provider: mlx\n", f"    provider: mlx\n    deprecation: {{ date: 2026-12-24, replacement: {s} }}\n"
    ),
    "suppression": lambda s: changed("provider: mlx", f"provider: mlx  # aldo: ignore[{s}] x"),
}
NAMED = {
    "Authorization: Token": configured(f"{{ headers: {{ Authorization: Token {SECRET} }}, baseURL: x }}"),
    "X-Api-Key": configured(f"{{ headers: {{ X-Api-Key: {SECRET} }}, baseURL: x }}"),
    "X-Api-Key, a number": configured("{ headers: { X-Api-Key: 918273645546 } }"),
    "block scalar": configured(
        f"\n      headers:\n        Authorization: |\n          Token {SECRET}\n      baseURL: x"
    ),
    "the second of two equal headers": configured(f"{{ headers: {{ X-Api-Key: {SECRET}A, X-Api-Key: {SECRET} }} }}"),
    "headers as a list": configured(f"{{ headers: ['X-Api-Key: {SECRET}'] }}"),
    "headers as a text": configured(f"{{ headers: 'X-Api-Key: {SECRET}' }}"),
    "misspelt providerConfig": changed(
        "    provider: mlx\n", f"    provider: mlx\n    provider_config: {{ headers: {{ X-Api-Key: {SECRET} }} }}\n"
    ),
    "misspelt headers": configured(f"{{ Headers: {{ X-Api-Key: {SECRET} }} }}"),
    "apiKey of an entry": changed("    provider: mlx\n", f"    provider: mlx\n    apiKey: {SECRET}\n"),
    "apiKey of the configuration": configured(f"{{ apiKey: {SECRET} }}"),
    "apiKey of the file": f"{MINIMAL}apiKey: {SECRET}\n",
    "a section of defaults": f"{MINIMAL}defaults: {{ headers: {{ Authorization: Token {SECRET} }} }}\n",
    "nested knob": configured(f"{{ extra: {{ auth: {{ password: {SECRET} }} }} }}"),
    "comment": changed("locality: local", f"locality: lcal  # Authorization: Token {SECRET}"),
    "beside a syntax error": configured(f"{{ headers: {{ Authorization: 'Token {SECRET}' x }} }}"),
    "user and password": configured(f"{{ baseUrl: 'https://user:{SECRET}@host.example/v1' }}"),
    "user and password of another scheme": configured(f"{{ baseUrl: 'ftp://user:{SECRET}@host.example/v1' }}"),
    "password with an @": configured(f"{{ baseUrl: 'https://user:p@{SECRET}@host.example/v1' }}"),
    "user alone": configured(f"{{ baseUrl: 'https://{SECRET}@host.example/v1' }}"),
    "password in a long text": changed("aldo/models.v1", f"https://user:{SECRET}{'y' * 60}@host.example"),
    "query": configured(f"{{ baseUrl: 'https://host.example/v1?api_key={SECRET}' }}"),
    "apiKeyEnv": configured(f"{{ apiKeyEnv: {SECRET}-plain, baseURL: x }}"),
}


def _shown(folder: Path, text: str) -> dict[str, str]:
    """All that aldo says of a catalog, by where it says it."""
    file = folder / "secret.yaml"
    file.write_text(text, "utf-8")
    report = lint([file], today=TODAY)
    said = {form: render(form, report) for form in FORMATS}
    for unsafe in (False, True):
        fixed = fix_files([file], unsafe=unsafe, today=TODAY)
        said[f"diff, {unsafe=}"] = "".join(one.diff() for one in fixed.files)
        told = [f for one in fixed.files for f in (*one.made, *one.undone)]
        said[f"fix, {unsafe=}"] = "\n".join(finding.fix.title for finding in told if finding.fix)
    from aldo import load_catalog

    try:
        load_catalog(file)
    except CatalogError as error:
        said["load"] = f"{error}\n{json.dumps(error.to_dict())}\n" + "\n".join(map(str, error.findings))
    return said


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(list(KEY_PLACES)), key=st.sampled_from(KEYS))
def test_no_key_by_its_shape_is_ever_shown_in_full(scratch: Path, place: str, key: str) -> None:
    assert [where for where, said in _shown(scratch, KEY_PLACES[place](key)).items() if key in said] == []


@pytest.mark.parametrize("text", NAMED.values(), ids=list(NAMED))
def test_no_secret_by_its_name_or_place_is_ever_shown_in_full(tmp_path: Path, text: str) -> None:
    said = _shown(tmp_path, text)
    assert [where for where, all_of_it in said.items() if SECRET in all_of_it or "918273645546" in all_of_it] == []


@pytest.mark.parametrize(
    "place", ["apiKey of an entry", "misspelt providerConfig", "nested knob", "a section of defaults"]
)
def test_a_secret_is_found_wherever_it_stands(tmp_path: Path, place: str) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text(NAMED[place], "utf-8")
    assert "AL304" in {finding.code for finding in lint([file], today=TODAY).findings}


def test_a_broken_catalog_with_a_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(
        HEADER + ENTRY.replace("id: qwen", f"id: [{KEYS[0]}]").replace("locality: local", f"locality: {KEYS[0]}")
    )
    request = ("--class", "local-reasoning", "--privacy", "public", "--catalog", str(file))
    for extra in ((), ("--json",)):
        done = aldo("route", *request, *extra)
        assert done.returncode == 2
        assert KEYS[0] not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "config",
    [
        "{ baseUrl: 'https://h/v1?key=0f1e2d3c4b5a6978' }",
        "{ baseUrl: 'https://h/v1?sig=0f1e2d3c4b5a6978' }",
        "{ baseUrl: 'bob:0f1e2d3c4b5a6978@api.example.com/v1' }",
        "{ baseUrl: '//bob:0f1e2d3c4b5a6978@h' }",
        "{ headers: { Ocp-Apim-Subscription-Key: 0f1e2d3c4b5a6978 } }",
        "{ headers: { X-Auth: 0f1e2d3c4b5a6978, X-Functions-Key: 0f1e2d3c4b5a6978 } }",
    ],
)
def test_keys_in_queries_and_under_uncommon_names_are_found_and_not_shown(here: Path, config: str) -> None:
    report = linted(here, configured(config))
    assert "AL304" in {finding.code for finding in report.findings}
    for form in FORMATS:
        assert "0f1e2d3c4b5a6978" not in render(form, report)
