"""Whatever is in a file: lint, its reports and its fixes never raise, never hang, and point inside the text."""

from __future__ import annotations

import datetime
import json
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.catalog import parse_text, read_document
from aldo.errors import Finding, Span
from aldo.validate import FORMATS, LintReport, all_rules, lint, render
from aldo.validate.example import WITH_CLOUD
from aldo.validate.fix import fix_document
from aldo.validate.lint import Checks
from tests.support.mutations import MUTATIONS, SHIPPED, Mutation
from tests.support.reading import line_starts
from tests.support.yaml_writer import Writer

TODAY = datetime.date(2026, 11, 22)
CHECKS = Checks.of(today=TODAY)
HANGS_AFTER = 60  # seconds; nothing here takes a tenth of that on a machine with nothing else to do
"""Seconds for one text. No text of these tests takes one; a loop without end has to end the test all the same."""

EXAMPLES = tuple(text for rule in all_rules().values() for text in (rule.bad, rule.good) if text)
BARE = WITH_CLOUD.partition("models:\n")[2].replace("\n  ", "\n")[2:]
COMMENTED = WITH_CLOUD.replace(
    "  - id: gemma", "  # aldo: ignore[AL504, AL501] reserve\n  - id: gemma   # aldo: ignore[AL301]"
)
SMALL = (*EXAMPLES, BARE, COMMENTED, WITH_CLOUD, "{ models: [ { id: NO, id: 017, cost: 1e3 } ] }\n")
LINE_ENDS = ("\n", "\r\n", "\r", "\x85", "\u2028", "\u2029", "\v", "\f")
PIECES = (
    *LINE_ENDS,
    *"\t :-[]{}#&*!|>'\"%@`,?~=<\\\x00\x07\x1b\x7f\ufeff\ufffeé😀",
    *("NO", "017", "1e3", "22:30", "0x1F", ".inf", ".nan", "- ", "? ", ": ", "<<: *a", "&a ", "*a", "&b [*b]"),
    *("!!str ", "!!int ", "!local ", "---\n", "...\n", "%YAML 1.1\n", "''", '""', "'", '"', "|\n", ">-\n", "# "),
    *("# aldo: ignore[AL301] x", "#aldo:ignore[AL999,", "# aldo: ignore[AL113, AL504]", "ignore[]"),
    *("9" * 30, "9" * 401, "9" * 5000, "1e400", "-0", "1e-9", "0.0000001", "1" + "0" * 60),
    *("[" * 120, "{" * 120, "{a: " * 120, "- " * 120, "]" * 40, "}" * 40),
    *("sk-proj-Zq81kXw02mVbT5yHc9", "Authorization: Bearer 0f9d8c7b6a5e4d3c2b1a", "http://u:p4ssw0rdxyz@h:99999/"),
    *("deprecation: { date: 2020-01-01, replacement: qwen }", "enabled: false", "provides: [tool_use, tool_use]"),
    *(
        "http://[::1",
        "http://[::ffff:1.2.3.4%25eth0]:1/?q#f",
        "//",
        "http:// ",
        "kvCacheQuantized: true",
        "samplerSed: [7]",
    ),
)


@contextmanager
def no_hanging() -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"not done after {HANGS_AFTER} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANGS_AFTER)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def holds(path: Path, data: bytes) -> None:
    """The laws that every file obeys, whatever is in it."""
    path.write_bytes(data)
    with no_hanging():
        report = lint([path], today=TODAY)
        assert report.exit_code in (0, 1, 2)
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
        lengths = line_lengths(text)
        for finding in (*report.findings, *report.ignored):
            points_inside(finding, lengths)
        renders(report)
        for unsafe in (False, True):
            mends(path, report, unsafe=unsafe)
    assert path.read_bytes() == data


def line_lengths(text: str) -> list[int]:
    """The letters of each line, its end among them; the last line has one for the end of the text."""
    starts = [*line_starts(text), len(text) + 1]
    return [end - start for start, end in pairwise(starts)]


def points_inside(finding: Finding, lengths: list[int]) -> None:
    assert finding.message
    assert finding.code in all_rules()
    assert finding.pointer == "" or finding.pointer[0] == "/"
    for span in (finding.span, *(related.span for related in finding.related)):
        if span is not None:
            assert inside(lengths, span), finding


def inside(lengths: list[int], span: Span) -> bool:
    """Whether the span begins and ends on lines that there are, at columns that they have."""
    if not 1 <= span.line <= span.end_line <= len(lengths):
        return False
    begin, end = (span.line, span.column), (span.end_line, span.end_column)
    return begin <= end and all(1 <= column <= lengths[line - 1] for line, column in (begin, end))


def renders(report: LintReport) -> None:
    texts = {form: render(form, report) for form in FORMATS}
    for form in ("json", "sarif", "gitlab"):
        json.loads(texts[form])
    ElementTree.fromstring(texts["junit"])
    assert texts["text"].endswith("\n")
    for text in texts.values():
        text.encode("utf-8")


def mends(path: Path, report: LintReport, *, unsafe: bool) -> None:
    """Fixing never leaves more errors than there were, nor a file that is less readable, and it comes to an end."""
    fixed = fix_document(read_document(str(path)), CHECKS, unsafe=unsafe)
    fixed.diff()
    assert fixed.changed <= bool(fixed.made)
    assert errors(fixed.report.findings) <= errors(report.findings)
    assert unreadable(fixed.report.findings) <= unreadable(report.findings)
    left = fix_document(parse_text(str(path), fixed.text), CHECKS, unsafe=unsafe)
    assert not left.made, (left.made, fixed.text)


def errors(findings: tuple[Finding, ...]) -> int:
    return sum(finding.severity == "error" for finding in findings)


def unreadable(findings: tuple[Finding, ...]) -> bool:
    return any(finding.unreadable for finding in findings)


def mutated(text: str, rng: random.Random) -> str:
    """One to five random edits of any kind."""
    for _ in range(rng.randint(1, 5)):
        edit = rng.choice(EDITS)
        text = edit(text, rng)
    return text


def _span(text: str, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(text) + 1)
    return start, min(len(text), start + rng.choice((1, 1, 2, 5, 20, 200)))


def _delete(text: str, rng: random.Random) -> str:
    start, end = _span(text, rng)
    return text[:start] + text[end:]


def _insert(text: str, rng: random.Random) -> str:
    start, _ = _span(text, rng)
    return text[:start] + rng.choice(PIECES) + text[start:]


def _insert_at_a_value(text: str, rng: random.Random) -> str:
    places = [at for at, letter in enumerate(text) if letter in " [,\n"]
    start = rng.choice(places) + 1 if places else 0
    return text[:start] + rng.choice(PIECES) + text[start:]


def _replace(text: str, rng: random.Random) -> str:
    start, end = _span(text, rng)
    return text[:start] + rng.choice(PIECES) + text[end:]


def _double(text: str, rng: random.Random) -> str:
    start, end = _span(text, rng)
    return text[:end] + text[start:]


def _swap(text: str, rng: random.Random) -> str:
    a, b, c, d = sorted((*_span(text, rng), *_span(text, rng)))
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def _cut(text: str, rng: random.Random) -> str:
    start, _ = _span(text, rng)
    return text[:start]


def _lines(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    kind = rng.randrange(6)
    if kind == 0:
        lines[at] = " " * rng.randint(1, 4) + lines[at]
    elif kind == 1:
        lines[at] = lines[at][rng.randint(1, 3) :]
    elif kind == 2:
        lines[at] = "\t" + lines[at]
    elif kind == 3:
        lines.insert(rng.randrange(len(lines)), lines[at])
    elif kind == 4:
        del lines[at]
    else:
        lines[at:] = [rng.choice(("  ", "    ", "")) + line for line in lines[at:]]
    return "\n".join(lines)


def _line_ends(text: str, rng: random.Random) -> str:
    if rng.random() < 0.5:
        return text.replace("\n", rng.choice(LINE_ENDS))
    at = text.find("\n", rng.randrange(len(text) + 1))
    return text if at < 0 else text[:at] + rng.choice(LINE_ENDS) + text[at + 1 :]


def _value(text: str, rng: random.Random) -> str:
    """Another value behind a key: the edit that leaves the most for the rules to look at."""
    at = [at for at in range(len(text)) if text.startswith(": ", at)]
    if not at:
        return text
    start = rng.choice(at) + 2
    ends = [end for end in (text.find(mark, start) for mark in "\n,}") if end >= 0]
    return text[:start] + rng.choice(PIECES) + text[min(ends, default=len(text)) :]


EDITS = (_delete, _insert, _insert_at_a_value, _replace, _double, _swap, _cut, _lines, _line_ends, _value, _value)


def encoded(text: str, rng: random.Random) -> bytes:
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data and rng.random() < 0.1:
        data[rng.randrange(len(data))] = rng.randrange(256)
    return (b"\xef\xbb\xbf" if rng.random() < 0.1 else b"") + bytes(data)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "models.yaml"


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_random_bytes_never_raise(path: Path, data: bytes) -> None:
    holds(path, data)


@settings(max_examples=200)
@given(st.lists(st.sampled_from((*PIECES, "models:", "id", "kind: ModelCatalog\n", "  ")), max_size=25))
def test_random_pieces_of_yaml_never_raise(path: Path, pieces: list[str]) -> None:
    holds(path, "".join(pieces).encode("utf-8", "surrogatepass"))


@settings(max_examples=250)
@given(st.sampled_from(SMALL), st.randoms(use_true_random=False))
def test_mutated_examples_of_the_rules_never_raise(path: Path, text: str, rng: random.Random) -> None:
    holds(path, encoded(mutated(text, rng), rng))


@pytest.mark.parametrize("block", range(4))
def test_more_mutated_examples_of_the_rules_never_raise(path: Path, block: int) -> None:
    for seed in range(block * 60, block * 60 + 60):
        rng = random.Random(seed)
        holds(path, encoded(mutated(rng.choice(SMALL), rng), rng))


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_mutated_shipped_catalog_never_raises(path: Path, rng: random.Random) -> None:
    holds(path, encoded(mutated(SHIPPED, rng), rng))


@settings(max_examples=25)
@given(st.sampled_from(MUTATIONS), st.sampled_from(MUTATIONS), st.randoms(use_true_random=False))
def test_defects_on_top_of_chance_never_raise(path: Path, one: Mutation, other: Mutation, rng: random.Random) -> None:
    """Half a line of one broken catalog, the rest of another."""
    first, second = one.apply(rng).text, other.apply(rng).text
    at = rng.randrange(min(len(first), len(second)))
    holds(path, (first[:at] + second[at:]).encode("utf-8", "surrogatepass"))


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_any_document_in_the_place_of_the_entries_never_raises(path: Path, rng: random.Random) -> None:
    writer = Writer(rng)
    writer.document()
    holds(path, writer.text.encode())
    nested = "models:\n" + "".join(f"  {line}\n" for line in writer.text.split("\n"))
    holds(path, nested.encode())


DEEP = {
    "sequences": "[" * 50_000,
    "mappings": "{a: " * 50_000,
    "block sequences": "- " * 50_000,
    "indentation": "".join(" " * depth + "a:\n" for depth in range(600)),
    "entries deep": "models:\n  - id: " + "[" * 99 + "]" * 99 + "\n",
    "extra deep": WITH_CLOUD + "    extra: " + "{a: " * 90 + "1" + "}" * 90 + "\n",
    "aliases of aliases": "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    + "models: *a11\n",
    "a cycle": "models: &a [*a]\n",
    "a long line": WITH_CLOUD + "# " + "x" * 2_000_000 + "\n",
    "a long number": WITH_CLOUD.replace("32768", "9" * 300_000),
    "long prices": WITH_CLOUD.replace("usdPerMtokIn: 2", "usdPerMtokIn: 0." + "3" * 390),
    "many comments": WITH_CLOUD + "# aldo: ignore[AL301]\n" * 20_000,
    "many codes": WITH_CLOUD + f"# aldo: ignore[{', '.join(['AL301', 'AL999'] * 200)}]\n",
    "many hashes": WITH_CLOUD + "# aldo: " * 20_000 + "\n",
    "many defects": "models:\n" + "  - { id: NO, provider: 017, kind: x }\n" * 300,
    "many doubles": "models:\n  - id: a\n" + "    provider: NO\n" * 300,
    "many keys like secrets": WITH_CLOUD + "# sk-proj-Zq81kXw02mVbT5yHc9\n" * 1000,
    "many slashes": WITH_CLOUD.replace("https://api.openai.com/v1", "https://" + "a." * 50_000 + "/" * 50_000),
    "nothing": "",
    "a mark alone": "\ufeff",
    "line ends alone": "\r\n\r\r\n\u2028\x85",
}


@pytest.mark.parametrize("name", DEEP)
def test_depth_and_size_never_raise_nor_hang(path: Path, name: str) -> None:
    holds(path, DEEP[name].encode())
