"""What a key looks like, so that none is ever told in full by a finding, a code frame or a report."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BODY = r"[A-Za-z0-9_-]"
_START = r"(?<![A-Za-z0-9_-])"
# What providers document of their keys: a text that every one of them holds, and the whole shape. The texts
# are looked for first: that is a hundred times faster than one pattern for all. No list is complete, so
# headers are also judged by their names: see `is_secret_name`.
_PREFIXED = {
    "sk-": 16, "gsk_": 20, "hf_": 20, "xai-": 20, "r8_": 20, "pplx-": 20, "nvapi-": 20, "csk-": 20, "fw_": 20,
    "tgp_v1_": 20, "jina_": 20, "voyage-": 24, "AIza": 30, "ghp_": 20, "gho_": 20, "ghu_": 20, "ghs_": 20, "ghr_": 20,
    "github_pat_": 20, "glpat-": 20, "xoxb-": 10, "xoxp-": 10, "xoxa-": 10, "xoxe-": 10, "xoxs-": 10, "xapp-": 10,
}  # fmt: skip
_SHAPES: dict[str, str] = {
    **{prefix: rf"{_START}{prefix}{_BODY}{{{length},}}" for prefix, length in _PREFIXED.items()},
    "AKIA": rf"{_START}AKIA[A-Z0-9]{{16}}(?!{_BODY})",
    "ASIA": rf"{_START}ASIA[A-Z0-9]{{16}}(?!{_BODY})",
    "eyJ": rf"{_START}eyJ{_BODY}{{8,}}\.eyJ{_BODY}{{8,}}\.{_BODY}{{8,}}",
    "Bearer ": r"(?<=Bearer )[A-Za-z0-9._~+/=-]{8,}",
    "Basic ": r"(?<=Basic )[A-Za-z0-9+/]{8,}={0,2}",
    "-----BEGIN ": r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,10000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?",
    "://": r"(?<=://)[^\s/@:'\"]{0,200}:[^\s/@'\"]{1,500}(?=@)",  # user and password in a URL
}
_MARK = re.compile("|".join(map(re.escape, _SHAPES)))
_LOOKED_BEHIND = ("Bearer ", "Basic ", "://")
_NAMES = re.compile(
    r"(proxy-)?authorization|cookie|(.*[_-])?(api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token|token|secret|"
    r"password|passwd|credentials?)",
    re.IGNORECASE,
)
_SHOWN = 4


def find_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of everything in the text that is shaped like a key."""
    found = []
    for mark in _SHAPES:
        if mark != "://" or "@" in text:
            found += [match.span() for match in _matches(text, mark) if not _is_placeholder(match[0])]
    end = 0
    for start, stop in sorted(found):
        if start >= end:
            yield start, stop
            end = stop


def _matches(text: str, mark: str) -> Iterator[re.Match[str]]:
    """Where the shape begins at, or right behind, one of the places of its mark."""
    if mark not in text:
        return
    shape = re.compile(_SHAPES[mark])
    behind = len(mark) if mark in _LOOKED_BEHIND else 0
    at = text.find(mark)
    while at >= 0:
        match = shape.match(text, at + behind)
        if match is not None:
            yield match
        at = text.find(mark, match.end() if match is not None else at + len(mark))


def is_secret_name(name: str) -> bool:
    """Whether a header or a field of this name holds a key: Authorization, X-Api-Key, password."""
    return _NAMES.fullmatch(name) is not None


def is_literal(value: str) -> bool:
    """Whether the value of such a field is the key itself, and not a reference such as ${VARIABLE} or <your key>."""
    return len(value) >= 6 and not _is_placeholder(value)


def masked(text: str) -> str:
    """The text with all but the first letters of every key in it replaced, its length unchanged."""
    if _MARK.search(text) is None:
        return text
    for start, end in list(find_secrets(text)):
        text = text[:start] + mask(text[start:end]) + text[end:]
    return text


def mask(secret: str) -> str:
    """`sk-a****`: enough to know which key is meant. Line ends stay, so that lines can still be counted."""
    shown = _SHOWN if len(secret) >= 4 * _SHOWN else 0
    return secret[:shown] + re.sub(r"[^\r\n]", "*", secret[shown:])


def _is_placeholder(value: str) -> bool:
    """Words to be replaced by a key: `sk-your-key-goes-here`, `sk-xxxxxxxx`, `${OPENAI_API_KEY}`, `Bearer $KEY`."""
    body = value.partition("-")[2] if value.startswith("sk-") else value
    if any(mark in value for mark in "$<{*") or "..." in value:
        return True
    if len(set(body) - set("-_")) <= 2:
        return True
    return value.startswith("sk-") and re.fullmatch(r"[a-z]+(-[a-z]+)+", body) is not None
