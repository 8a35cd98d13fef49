"""Defects of privacy and security."""

from __future__ import annotations

import random
import re

from tests.support.mutations.mutation import free_to_change, in_the_cloud, mutation, not_in_the_cloud, pick
from tests.support.mutations.source import Source


@mutation("AL301")
def _sensitive_in_the_cloud(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng, in_the_cloud).lines["privacyAllowed"]
    tiers = rng.choice(("[public, internal, sensitive]", "[sensitive, public, internal]", "[public, sensitive]"))
    return source.with_line(line, f"    privacyAllowed: {tiers}"), line


@mutation("AL302")
def _local_entry_elsewhere(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(pick(source, rng, not_in_the_cloud), "baseUrl:")
    host = rng.choice(("192.168.1.20", "example.com", "[2001:db8::1]", "localhost.example.com", "127.0.0.1.nip.io"))
    text = re.sub(r'"?http://localhost:(\d+)"?', rf'"http://{host}:\1"', source.lines[line - 1])
    return source.with_line(line, text), line


@mutation("AL303")
def _plain_http(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(pick(source, rng, in_the_cloud), "baseUrl:")
    return source.replaced(line, "https://", "http://"), line


_KEY = "sk-proj-Zq81kXw02mVbT5yHc9"


@mutation("AL304")
def _key_in_place_of_its_variable(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(pick(source, rng, in_the_cloud), "apiKeyEnv:")
    return source.with_line(line, f"      apiKeyEnv: {_KEY}"), line


@mutation("AL304")
def _key_in_a_comment(source: Source, rng: random.Random) -> tuple[str, int]:
    line = pick(source, rng).lines["cost"]
    return source.with_line(line, source.lines[line - 1] + f"   # was {_KEY}"), line


@mutation("AL304")
def _key_in_a_text(source: Source, rng: random.Random) -> tuple[str, int]:
    entry = pick(source, rng)
    return source.with_after(entry.last, f"    description: log in with {_KEY}"), entry.last + 1


@mutation("AL304")
def _authorization_header(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(pick(source, rng, in_the_cloud), "apiKeyEnv:")
    name = rng.choice(("Authorization: Bearer 0f9d8c7b6a5e4d3c2b1a", "X-Api-Key: 0f9d8c7b6a5e4d3c2b1a"))
    return source.with_after(line, f"      headers: {{ {name} }}"), line + 1


@mutation("AL304")
def _password_in_a_url(source: Source, rng: random.Random) -> tuple[str, int]:
    line = source.line_with(pick(source, rng), "baseUrl:")
    return source.replaced(line, "://", "://admin:hunter2hunter2@"), line


@mutation("AL305")
def _hole_in_the_tiers(source: Source, rng: random.Random) -> tuple[str, int]:
    """Of a class that keeps two models for internal requests."""
    entry = pick(
        source,
        rng,
        not_in_the_cloud,
        free_to_change,
        lambda entry: sum(o.kind == entry.kind and "internal" in o.value["privacyAllowed"] for o in source.entries) > 2,
    )
    line = entry.lines["privacyAllowed"]
    return source.replaced(line, "public, internal, ", rng.choice(("public, ", ""))), line
