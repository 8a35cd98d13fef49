"""Which name was meant: laws of one edit, and that digits are never a slip."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES
from aldo.validate.near import is_near, is_one_letter_off, meant_by, one_edit_apart

KNOWN = sorted({*CAPABILITIES, *CAPABILITY_CLASSES})
LETTERS = st.sampled_from("abcxyz-")
WORDS = st.text(st.sampled_from("abcd-12"), max_size=9)


def edits(name: str) -> set[str]:
    """Everything one edit away, over a small alphabet."""
    found = set()
    for at, letter in product(range(len(name) + 1), "abcd-12"):
        found |= {name[:at] + letter + name[at:], name[:at] + letter + name[at + 1 :], name[:at] + name[at + 1 :]}
        found.add(name[:at] + name[at : at + 2][::-1] + name[at + 2 :])
    return found - {name}


@settings(max_examples=500)
@given(WORDS, WORDS)
def test_one_edit_is_the_same_from_both_sides(name: str, other: str) -> None:
    assert one_edit_apart(name, other) == one_edit_apart(other, name)
    assert is_one_letter_off(name, other) == is_one_letter_off(other, name)


@settings(max_examples=300)
@given(st.text(st.sampled_from("abcd-12"), min_size=4, max_size=7), st.data())
def test_one_edit_is_exactly_one_edit(name: str, data: st.DataObject) -> None:
    near = edits(name)
    other = data.draw(st.one_of(st.sampled_from(sorted(near)), WORDS))
    assert one_edit_apart(name, other) == (other in near and len(other) >= 4)


@given(WORDS)
def test_a_name_is_no_edit_away_from_itself(name: str) -> None:
    assert not one_edit_apart(name, name)


@pytest.mark.parametrize(("name", "other"), [("abc", "abd"), ("abc", "abcd"), ("a", "b"), ("", "a"), ("", "")])
def test_short_names_are_never_near(name: str, other: str) -> None:
    assert not one_edit_apart(name, other)
    assert not one_edit_apart(other, name)


@pytest.mark.parametrize("known", KNOWN)
def test_a_known_name_is_meant_by_itself(known: str) -> None:
    assert meant_by(known, KNOWN) == known
    assert meant_by(known.upper(), KNOWN) == known
    assert meant_by(known.replace("-", "_"), KNOWN) == known
    assert meant_by(known.replace("-", " "), KNOWN) == known


@settings(max_examples=400)
@given(st.sampled_from([name for name in KNOWN if len(name) > 4]), st.data())
def test_one_slip_in_a_known_name_is_found(known: str, data: st.DataObject) -> None:
    """Letters only; where the slip makes it as near to another name, that one is as good an answer."""
    spots = [at for at, letter in enumerate(known) if not letter.isdigit()]
    at = data.draw(st.sampled_from(spots))
    slip = data.draw(
        st.one_of(
            st.just(known[:at] + known[at + 1 :]),
            LETTERS.map(lambda letter: known[:at] + letter + known[at:]),
            LETTERS.map(lambda letter: known[:at] + letter + known[at + 1 :]),
        )
    )
    meant = meant_by(slip, KNOWN)
    if re.findall(r"\d+", slip) == re.findall(r"\d+", known):
        assert meant is not None
        assert meant == known or is_near(slip, meant)
    else:
        assert meant != known


@settings(max_examples=500)
@given(st.one_of(st.sampled_from(KNOWN), WORDS), st.one_of(st.sampled_from(KNOWN), WORDS))
def test_names_that_differ_in_a_number_are_never_near(name: str, other: str) -> None:
    if re.findall(r"\d+", name) != re.findall(r"\d+", other):
        assert meant_by(name, [other]) is None
        assert not is_one_letter_off(name, other)


@pytest.mark.parametrize(
    "name", ["64k-context", "33k-context", "8k-context", "2m-context", "256k-context", "12k8-context"]
)
def test_another_size_is_another_name(name: str) -> None:
    assert meant_by(name, KNOWN) is None


@settings(max_examples=200)
@given(st.text(max_size=12), st.permutations(KNOWN))
def test_the_order_of_the_known_names_does_not_matter(name: str, shuffled: list[str]) -> None:
    assert meant_by(name, shuffled) == meant_by(name, KNOWN)


@settings(max_examples=300)
@given(st.text(max_size=14), st.lists(WORDS, max_size=6))
def test_what_is_meant_is_one_of_the_known(name: str, known: list[str]) -> None:
    assert meant_by(name, known) in (None, *known)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("tool_use", "tool-use"), ("Tool Use", "tool-use"), ("tooluse", "tool-use"), ("tols-use", "tool-use"), ("vison", "vision"),
     ("visoin", "vision"), ("128k-contex", "128k-context"), ("1m_context", "1m-context"), ("200kcontext", "200k-context"),
     ("jsonmode", "json-mode"), ("structured-outputs", "structured-output"), ("embedding", "embeddings"),
     ("functionCalling", "function-calling"), ("reranker", "rerank"), ("reasoning-larg", "reasoning-large"),
     ("fast_draft", "fast-draft")],
)  # fmt: skip
def test_slips_that_people_make(name: str, meant: str) -> None:
    assert meant_by(name, KNOWN) == meant


@pytest.mark.parametrize(
    "name", ["house-style", "audio", "fim", "", "x", "german", "long", "use", "legal-review", "draft"]
)
def test_names_of_ones_own_mean_nothing_else(name: str) -> None:
    assert meant_by(name, KNOWN) is None
