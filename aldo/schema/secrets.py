"""What a key looks like, so that none is ever told in full by a finding, a code frame or a report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from aldo._lazy import lazy_pattern

Place = tuple[int, int]

_BODY = r"[A-Za-z0-9_-]"
_START = r"(?<![A-Za-z0-9_-])"
# What providers document of their keys: a text that every one of them holds, and the whole shape. The texts
# are looked for first: that is a hundred times faster than one pattern for all. No list is complete, so
# values are also judged by the names before them: see `find_named`.
_PREFIXED = {
    "sk-": 16, "xai-": 20, "pplx-": 20, "nvapi-": 20, "csk-": 20, "tgp_v1_": 20, "jina_": 20, "voyage-": 24,
    "AIza": 30, "github_pat_": 20, "glpat-": 20, "xoxb-": 10, "xoxp-": 10, "xoxa-": 10, "xoxe-": 10, "xoxs-": 10,
}  # fmt: skip
_WITHOUT_HYPHENS = {
    "gsk_": 20, "hf_": 20, "r8_": 20, "fw_": 20, "ghp_": 20, "gho_": 20, "ghu_": 20, "ghs_": 20, "ghr_": 20,
}  # fmt: skip
_SHAPES: dict[str, str] = {
    **{prefix: rf"{_START}{prefix}{_BODY}{{{length},}}" for prefix, length in _PREFIXED.items()},
    **{prefix: rf"{_START}{prefix}[A-Za-z0-9]{{{length},}}(?!{_BODY})" for prefix, length in _WITHOUT_HYPHENS.items()},
    "AKIA": rf"{_START}AKIA[A-Z0-9]{{16}}(?!{_BODY})",
    "ASIA": rf"{_START}ASIA[A-Z0-9]{{16}}(?!{_BODY})",
    "eyJ": rf"{_START}eyJ{_BODY}{{8,4000}}\.eyJ{_BODY}{{8,4000}}\.{_BODY}{{8,4000}}",
    "Bearer ": r"(?<=Bearer )[A-Za-z0-9._~+/=-]{8,}",
    "Basic ": r"(?<=Basic )[A-Za-z0-9+/]{8,}={0,2}",
    # In a URL a user with a password, up to the last @ before the path; or a token alone.
    "://": r"(?<=://)(?:[^\s/@:'\"]{0,200}:[^\s/'\"]{1,500}|(?=[^\s/@]*[0-9])[^\s/@:'\"]{12,500})(?=@)",
}
_PRIVATE_KEY = "-----BEGIN "
_BEGIN = lazy_pattern(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----")
_END = lazy_pattern(r"-----END [A-Z ]{0,30}PRIVATE KEY-----")
_MARK = lazy_pattern("|".join(map(re.escape, (*_SHAPES, _PRIVATE_KEY))))
_LOOKED_BEHIND = ("Bearer ", "Basic ", "://")
_RUNS = lazy_pattern(r"[A-Za-z0-9]{12,}")

_NAMES = lazy_pattern(
    r"(proxy-)?authorization|cookie|(.*[_-])?(api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token|token|secret|"
    r"password|passwd|credentials?|bearer)|([A-Za-z0-9_-]*[_-])?(auth|key)|sig|signature|pwd|pass",
    re.IGNORECASE,
)
_NAME_ENDS = (
    *("apikeyenv", "authorization", "cookie", "key", "token", "secret", "password", "passwd", "credential"),
    *("credentials", "bearer", "auth", "sig", "signature", "pwd", "pass"),
)
_NAMED = lazy_pattern(
    r"""[\"']?[ \t]*[:=][ \t]*                           # behind a name: key: value, key=value, "key": value
    (?:(?:Bearer|Basic|Token|ApiKey)[ ]+)?
    (?: "(?P<double>[^"\r\n]*)"
      | '(?P<single>[^'\r\n]*)'
      | [|>][-+0-9]*[ \t]*\r?\n[ \t]+(?P<block>[^\r\n]+)
      | (?P<plain>[^\s,&}\]\#"'][^\s,&}\]\#"']*) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Names that may mean a key and may mean something else: then the value has to look like one, too.
_WEAK = lazy_pattern(r"(?!.*(api|access)[_-]?key$).*(auth|key|sig|signature|pwd|pass)", re.IGNORECASE)
_USER = lazy_pattern(r"(?!mailto:)[A-Za-z0-9._%+-]{1,64}:[^\s/'\"@]{6,500}")
_VARIABLE = lazy_pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = lazy_pattern(r"\$\{[^}]*\}|\$[A-Za-z_][A-Za-z0-9_]*|<[^>]*>|\{\{.*\}\}|\*+|\.{3,}|x+|X+")
_DUMMIES = frozenset(
    {"bearer", "basic", "token", "empty", "none", "null", "dummy", "not-needed", "no-key-needed", "placeholder"}
    | {"lm-studio", "lmstudio", "ollama"}
)
_BEHIND_NAME = ("", *"\"' \t:=")
_NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_SHOWN = 4
_LONG = 100_000


def find_secrets(text: str, lines: str | None = None) -> Iterator[Place]:
    """Start and end of everything in the text that is shaped like a key, in order and apart from each other.

    `lines` may hold every line of the text once, to be looked through first.
    """
    lines = text if lines is None else lines
    found = [place for mark in _SHAPES if mark in lines for place in _shaped(text, mark)]
    found += _private_keys(text) if _PRIVATE_KEY in lines else ()
    found += _users(text) if "@" in lines else ()
    end = -1
    start = 0
    for one_start, one_end in sorted(found):
        if one_start > end:
            if end >= 0:
                yield start, end
            start, end = one_start, one_end
        end = max(end, one_end)  # shapes may overlap, and no part of either may stay
    if end >= 0:
        yield start, end


def find_named(text: str, lines: str | None = None) -> Iterator[tuple[int, int, int]]:
    """Values behind names such as Authorization and password: where the name begins, and where the value stands.

    Looked for in the text as it is, so that comments, broken lines and queries of URLs are not passed over.
    `lines` may hold every line of the text once, to be looked through first.
    """
    few = (text if lines is None else lines).lower()
    ends = [end for end in _NAME_ENDS if end in few]
    lower = _lower(text) if ends else ""
    for end_of_name in ends:
        at = lower.find(end_of_name)
        while at >= 0:
            end = at + len(end_of_name)
            match = _NAMED.match(text, end) if lower[end : end + 1] in _BEHIND_NAME else None
            if match is not None:
                start = at
                while start and lower[start - 1] in _NAME_LETTERS:
                    start -= 1
                kinds = ("double", "single", "block", "plain")
                place = next(match.span(kind) for kind in kinds if match[kind] is not None)
                if _holds_key(text[start:end], text[slice(*place)]):
                    yield start, *place
            at = lower.find(end_of_name, end)


def distinct_lines(text: str) -> str:
    """Every line of the text once: catalogs repeat themselves, and a mark that is in no line is not in the text."""
    return "\n".join(set(text.split("\n"))) if len(text) > _LONG else text


def _lower(text: str) -> str:
    """In small letters, of which every one keeps its place: some letters of other scripts become two."""
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


def is_secret_name(name: str) -> bool:
    """Whether a header or a field of this name holds a key: Authorization, X-Api-Key, password."""
    return _NAMES.fullmatch(name) is not None


def is_literal(value: str) -> bool:
    """Whether the value of such a field is the key itself, and not a reference such as ${VARIABLE} or <your key>."""
    bare = value.removeprefix("Bearer ").removeprefix("Basic ").strip()
    return len(value) >= 6 and bare.lower() not in _DUMMIES and not _REFERENCE.fullmatch(bare)


def is_variable_name(text: str) -> bool:
    """Whether an environment variable may be called so."""
    return _VARIABLE.fullmatch(text) is not None


def is_key_for_variable(text: str) -> bool:
    """Whether what stands for the name of a variable is none, and looks like the key itself."""
    if is_variable_name(text) or not is_literal(text) or any(c.isspace() for c in text):
        return False
    return any(c.isdigit() for c in text) or (len(text) >= 20 and text != text.upper())


def looks_random(value: str) -> bool:
    """Whether a value is more likely a key than a word: no blanks, and digits or many letters."""
    return not any(c.isspace() for c in value) and (any(c.isdigit() for c in value) or len(value) >= 20)


def masked(text: str) -> str:
    """The text with all but the first letters of every key in it replaced, its length unchanged."""
    while _MARK.search(text) is not None:
        hidden = mask_places(text, find_secrets(text))
        if hidden == text:
            break
        text = hidden  # what stood directly behind a key may only now be seen to be one
    return text


def mask_places(text: str, places: Iterable[Place]) -> str:
    """The text with each of the places masked; they are sorted, and may overlap."""
    pieces, done = [], 0
    for start, end in places:
        if end > done:
            pieces += [text[done:start], mask(text[max(start, done) : end])]
            done = end
    return "".join([*pieces, text[done:]])


def mask(secret: str) -> str:
    """`sk-a****`: enough to know which key is meant. Line ends stay, so that lines can still be counted."""
    shown = _SHOWN if len(secret) >= 4 * _SHOWN else 0
    return secret[:shown] + re.sub(r"[^\r\n]", "*", secret[shown:])


def _shaped(text: str, mark: str) -> Iterator[Place]:
    """Where the shape begins at, or right behind, one of the places of its mark."""
    if mark not in text or (mark == "://" and "@" not in text):
        return
    shape = re.compile(_SHAPES[mark])
    behind = len(mark) if mark in _LOOKED_BEHIND else 0
    at = text.find(mark)
    while at >= 0:
        match = shape.match(text, at + behind)
        if match is not None and _is_key(mark, match[0]):
            yield match.span()
        at = text.find(mark, match.end() if match is not None else at + len(mark))


def _users(text: str) -> Iterator[Place]:
    """A user with a password before a host, where the scheme of the URL was forgotten: bob:secret@host."""
    at = text.find("@")
    while at >= 0:
        start = at
        while start and at - start < 600 and text[start - 1] not in " \t\r\n'\"/@,{}[]":
            start -= 1
        match = _USER.fullmatch(text, start, at)
        if match is not None and not _REFERENCE.fullmatch(match[0].rpartition(":")[2]):
            yield start, at
        at = text.find("@", at + 1)


def _private_keys(text: str) -> Iterator[Place]:
    """From its first line to its last, or to the end of the text where that is missing."""
    at = text.find(_PRIVATE_KEY)
    while at >= 0:
        begin = _BEGIN.match(text, at)
        end = at + 1
        if begin is not None:
            last = _END.search(text, begin.end())
            end = last.end() if last is not None else len(text)
            yield at, end
        at = text.find(_PRIVATE_KEY, end)


def _is_key(mark: str, value: str) -> bool:
    """Whether what has the shape is a key, and not the name of a model, a word of a sentence or a placeholder."""
    if mark == "://":
        password = value.rpartition(":")[2]
        return not _REFERENCE.fullmatch(password)
    if mark in ("Bearer ", "Basic "):
        mixed = value != value.lower() and value != value.upper() and not value.istitle()
        return any(c.isdigit() for c in value) or mixed or value.endswith("=")
    if mark.startswith(("eyJ", "AKIA", "ASIA", "xox")):
        return True
    body = value[len(mark) :]
    # A key has a long run of letters and digits; names are made of words with hyphens between them.
    return len(set(body) - set("-_")) > 2 and any(_is_random_run(run) for run in _RUNS.findall(body))


def _is_random_run(run: str) -> bool:
    has_digits = any(c.isdigit() for c in run) and any(c.isalpha() for c in run)
    return has_digits or (run != run.lower() and run != run.upper()) or len(run) >= 20


def _holds_key(name: str, value: str) -> bool:
    if name == "apiKeyEnv":  # takes the name of a variable; what is none is probably the key itself
        return is_key_for_variable(value)
    if not is_secret_name(name) or not is_literal(value):
        return False
    return _WEAK.fullmatch(name) is None or (len(value) >= 8 and looks_random(value))
