"""Any bytes at all: a catalog or findings, each inside the text, and never an exception."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.catalog import CatalogFile, load_catalog, read_catalog
from aldo.errors import CatalogError
from tests.support.defects import catalog
from tests.support.reading import line_starts, read, ruamel_or_none
from tests.support.yaml_values import same
from tests.support.yaml_writer import Writer

SEED = (Path(__file__).parents[2] / "models.yaml").read_text(encoding="utf-8")
SMALL = catalog({})
SHARED = """\
- &one
  id: one
  provider: &p p
  providerKind: openai-compat
  locality: local
  capabilityClass: fast-draft
  provides: &all [streaming, "tool-use"]
  privacyAllowed: [public]
  effectiveContextTokens: 100
  cost: &cost { usdPerMtokIn: 0, usdPerMtokOut: 0.25 }
  description: |
    literal é
- { id: two, provider: *p, providerKind: mlx, locality: cloud, capabilityClass: embeddings, provides: *all,
    privacyAllowed: [public], effectiveContextTokens: 100, cost: *cost, description: "\\u0041 'q'" }
"""
LETTERS = "\t\n\r :-[]{}#&*!|>'\"%@`,?0123456789.e_~<=abxN\\/\x00\x1b\x7f\x85\u2028\ufeffé😀"


def mutated(text: str, rng: random.Random) -> str:
    """Up to four random edits: letters or lines deleted, inserted, doubled, moved; line ends changed."""
    for _ in range(rng.randint(1, 4)):
        lines = text.split("\n")
        at, line = rng.randrange(len(text) + 1), rng.randrange(len(lines))
        edit = rng.randrange(9)
        if edit == 0:
            text = text[:at] + text[at + rng.randint(1, 3) :]
        elif edit in (1, 2):
            text = text[:at] + rng.choice(LETTERS) + text[at:]
        elif edit == 3:
            text = text[:at] + text[at : at + 20] + text[at:]
        elif edit == 4:
            text = "\n".join(lines[:line] + lines[line + 1 :])
        elif edit == 5:
            text = "\n".join([*lines[: line + 1], *lines[line:]])
        elif edit == 6:
            lines.insert(rng.randrange(len(lines)), lines.pop(line))
            text = "\n".join(lines)
        elif edit == 7:
            text = "\n".join([*lines[:line], " " * rng.randint(1, 4) + lines[line], *lines[line + 1 :]])
        else:
            text = text[:at]
    return text


def checked(path: Path, data: bytes) -> CatalogFile:
    """Read the bytes and hold the laws that every file obeys."""
    path.write_bytes(data)
    file = read_catalog(str(path))
    assert (file.catalog is None) == any(finding.severity == "error" for finding in file.findings)
    text = file.document.text or data.decode("utf-8", "replace")
    starts = line_starts(text)
    for finding in file.findings:
        assert finding.path == str(path)
        assert finding.message
        assert finding.pointer == "" or finding.pointer[0] == "/"
        if finding.span is not None:
            span = finding.span
            assert (1, 1) <= (span.line, span.column) <= (span.end_line, span.end_column)
            assert span.end_line <= len(starts)
            assert starts[span.line - 1] + span.column - 1 <= len(text) + 1
    if file.catalog is None:
        with pytest.raises(CatalogError) as raised:
            load_catalog(path)
        assert raised.value.findings == tuple(f for f in file.findings if f.severity == "error")
    else:
        assert load_catalog(path) == file.catalog
    return file


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "models.yaml"


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_random_bytes_are_a_catalog_or_findings(path: Path, data: bytes) -> None:
    checked(path, data)


@settings(deadline=None, max_examples=500)
@given(st.text(LETTERS + "idmodels", max_size=60))
def test_random_yaml_letters_are_a_catalog_or_findings(path: Path, text: str) -> None:
    checked(path, text.encode())


@settings(deadline=None, max_examples=600)
@given(st.randoms(use_true_random=False), st.sampled_from((SMALL, SHARED, catalog({}, bare=True))), st.booleans())
def test_a_mutated_small_catalog_is_a_catalog_or_findings(path: Path, rng: random.Random, text: str, cr: bool) -> None:
    text = mutated(text, rng)
    checked(path, (text.replace("\n", "\r\n") if cr else text).encode())


@settings(deadline=None, max_examples=40)
@given(st.randoms(use_true_random=False))
def test_the_mutated_seed_catalog_is_a_catalog_or_findings(path: Path, rng: random.Random) -> None:
    checked(path, mutated(SEED, rng).encode())


@settings(deadline=None, max_examples=200)
@given(st.randoms(use_true_random=False))
def test_bytes_flipped_in_a_catalog_are_a_catalog_or_findings(path: Path, rng: random.Random) -> None:
    data = bytearray(SHARED.encode())
    for _ in range(rng.randint(1, 3)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    checked(path, bytes(data))


@settings(deadline=None, max_examples=300)
@given(st.randoms(use_true_random=False))
def test_any_document_is_a_catalog_or_findings(path: Path, rng: random.Random) -> None:
    """Well-formed YAML of any shape, alone and in the place of the models."""
    writer = Writer(rng)
    writer.document()
    checked(path, writer.text.encode())
    if not writer.text.startswith(("---", "%")) and "\n..." not in writer.text:
        nested = "models:\n" + "".join(f"  {line}\n" for line in writer.text.split("\n"))
        checked(path, nested.encode())


@settings(deadline=None, max_examples=250)
@given(st.randoms(use_true_random=False))
def test_a_mutated_catalog_that_both_can_read_is_read_alike(rng: random.Random) -> None:
    """Where libyaml and ruamel.yaml both accept a text, they agree on what it says."""
    text = mutated(SHARED, rng)
    if any(letter in text for letter in "\x85\u2028_<=!\x00\x1b\x7f") or "0b" in text:
        return
    document = read(text)
    readable, theirs = ruamel_or_none(text)
    told = document.findings or document.odd_keys  # keys that are no texts are told by the checks that follow
    assert not readable or told or same(document.value, theirs)
