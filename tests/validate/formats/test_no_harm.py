"""No text of a catalog can steer a terminal, a runner or a parser."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.validate import FORMATS, LintReport, lint, render
from aldo.validate.example import MINIMAL, changed, configured
from tests.validate.formats.reading_reports import TODAY, agree, problems, unprintable

HOSTILE = [
    "\x1b[31mred\x1b[0m", "\x1b]8;;http://x\x07link\x1b]8;;\x07", "\x9b31m", "\x00", "\x07\x08", "\x7f", "\r", "\r\n", "\n", "\u2028", "\u2029", "\x85",
    "\n::set-output name=x::y", "\n::error file=x::y", "::stop-commands::t", "%0A::warning::z", "]]>", "<![CDATA[", "<script>alert(1)</script>",
    "&lt;&#27;", "--><!--", "\u202eevil", "\u2066iso\u2069", "\u200b\u200d\ufeff", "\ufffe", "\uffff", "'", '"', "\\x1b", "%s{0}{x}", "`$(id)`", "🦊",
]  # fmt: skip
_pieces = st.lists(st.sampled_from([*HOSTILE, "a", "Z", " ", "-", "é", "名"]), min_size=1, max_size=5).map("".join)


def _quoted(text: str) -> str:
    """As a double-quoted scalar, in which every character can be written."""
    written = {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(written.get(c) or (c if " " <= c <= "~" else f"\\U{ord(c):08x}") for c in text) + '"'


PLACES = {
    "id": lambda q: changed("id: qwen", f"id: {q}"),
    "second id": lambda q: changed("id: qwen", f"id: {q}").replace("id: gemma", f"id: {q}"),
    "key": lambda q: changed("    provider: mlx\n", f"    provider: mlx\n    {q}: 1\n"),
    "key twice": lambda q: configured(f"{{ headers: {{ {q}: a, {q}: b }} }}"),
    "class": lambda q: changed("capabilityClass: local-reasoning", f"capabilityClass: {q}"),
    "tag": lambda q: changed("[streaming, tool-use]", f"[streaming, {q}]"),
    "tier": lambda q: changed("[public, internal, sensitive]", f"[public, {q}]"),
    "locality": lambda q: changed("locality: local", f"locality: {q}"),
    "number": lambda q: changed("effectiveContextTokens: 32768", f"effectiveContextTokens: {q}"),
    "kind": lambda q: changed("providerKind: mlx", f"providerKind: {q}"),
    "base URL": lambda q: configured(f"{{ baseUrl: {q} }}"),
    "knob": lambda q: configured(f"{{ extra: {{ {q}: 1 }} }}"),
    "knob value": lambda q: configured(f"{{ extra: {{ samplerSeed: {q} }} }}"),
    "header value": lambda q: configured(f"{{ headers: {{ Authorization: {q} }} }}"),
    "variable": lambda q: configured(f"{{ apiKeyEnv: {q} }}"),
    "apiVersion": lambda q: changed("apiVersion: aldo/models.v1", f"apiVersion: {q}"),
    "section": lambda q: f"{MINIMAL}{q}: 1\n",
    "vocabulary": lambda q: f"{MINIMAL}vocabulary: {{ capabilities: [{q}] }}\n",
    "networks": lambda q: f"{MINIMAL}routing: {{ localNetworks: [{q}] }}\n",
    "replacement": lambda q: changed(
        "    provider: mlx\n", f"    provider: mlx\n    deprecation: {{ date: 2026-12-24, replacement: {q} }}\n"
    ),
    "source": lambda q: changed("    provider: mlx\n", f"    provider: mlx\n    asOf: 2020-01-01\n    source: {q}\n"),
    "tag of YAML": lambda q: changed("provider: mlx", f"provider: !<tag:{q[1:-1].replace(' ', '%20')}> mlx"),
}


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(list(PLACES)), text=_pieces)
def test_no_text_of_a_catalog_can_steer_a_terminal_a_runner_or_a_parser(scratch: Path, place: str, text: str) -> None:
    with contextlib.chdir(scratch):
        file = Path("hostile.yaml")
        file.write_text(PLACES[place](_quoted(text)), "utf-8")
        _harmless(lint([file], today=TODAY))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_pieces, at=st.integers(0, len(MINIMAL)))
def test_no_raw_text_between_the_lines_can_either(scratch: Path, text: str, at: int) -> None:
    with contextlib.chdir(scratch):
        file = Path("raw.yaml")
        file.write_text(MINIMAL[:at] + text + MINIMAL[at:], "utf-8", newline="")
        _harmless(lint([file], today=TODAY))


def _harmless(report: LintReport) -> None:
    for form in FORMATS:
        out = render(form, report)
        assert not unprintable(out), (form, unprintable(out))
        commands = [line for line in out.split("\n") if line.lstrip().startswith("::")]
        assert len(commands) == (len(report.findings) if form == "github" else 0), (form, commands)
    agree(report)
    assert problems(report, rules=False) == []
