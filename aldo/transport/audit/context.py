"""How much context a server really serves: what it says of itself, and with `deep` what it takes."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.errors import ContextExceeded, TransportError
from aldo.transport.audit.checks import asking
from aldo.transport.audit.claims import Claim, confirmed, refuted, unclear
from aldo.transport.audit.subject import Subject
from aldo.transport.embedding import EmbeddingRequest

_TAGS = {"32k-context": 32_000, "128k-context": 128_000, "200k-context": 200_000, "1m-context": 1_000_000}
_WORD = "sea "
_MOST_FILLED = 2_000_000  # tokens: a prompt of more is gigabytes of work
_MARGIN = 64  # tokens left for the template and the answer


def context_claims(subject: Subject, *, deep: bool) -> tuple[list[Claim], int | None]:
    """The claim of the context and those of its tags, and the tokens served where that is less than claimed."""
    claimed = subject.entry.context_tokens
    stated = (subject.served.context or None) if subject.served else None
    if stated is None and deep:
        claim, stated = _filled(subject, claimed)
    elif stated is None:
        claim = unclear("context", f"claimed {claimed}; the server does not say, and --deep would fill it to see")
    elif stated < claimed:
        claim = refuted("context", f"claimed {claimed}; the server says it serves {stated}")
    else:
        claim = confirmed("context", f"claimed {claimed}; the server says it serves {stated}")
    served = stated if claim.verdict == "refuted" else None
    return [claim, *_tags(subject, stated)], served


def _tags(subject: Subject, stated: int | None) -> Iterator[Claim]:
    for tag in subject.entry.provides:
        if tag not in _TAGS:
            continue
        if stated is None:
            yield unclear(tag, "the server does not say what it serves")
        elif stated < _TAGS[tag]:
            yield refuted(tag, f"{stated} tokens are served")
        else:
            yield confirmed(tag, f"{stated} tokens are served")


def _filled(subject: Subject, claimed: int) -> tuple[Claim, int | None]:
    """A prompt about as long as the context: does all of it arrive?"""
    if claimed > _MOST_FILLED:
        return unclear("context", f"claimed {claimed}; that is too much to fill"), None
    try:
        few, many = _tokens(subject, 100), _tokens(subject, 200)
    except TransportError as error:
        return unclear("context", f"could not be asked: {error}"), None
    if few is None or many is None or many <= few:
        return unclear("context", "the server does not count the tokens of a prompt"), None
    words = max(100, (claimed - _MARGIN - few) * 100 // (many - few) + 100)
    try:
        counted = _tokens(subject, words)
    except ContextExceeded:
        return _taken(subject, claimed, words)
    except TransportError as error:
        return unclear("context", f"could not be asked: {error}"), None
    expected = few + (words - 100) * (many - few) // 100
    if counted is not None and counted < expected * 0.95:
        return refuted("context", f"of a prompt of {expected} tokens {counted} were read"), counted
    return confirmed("context", f"a prompt of {counted} tokens was read whole"), claimed


def _taken(subject: Subject, claimed: int, words: int) -> tuple[Claim, int | None]:
    """About the longest prompt that is taken, by halving what lies between one that is and one that is refused."""
    taken, refused, counted = 0, words, 0
    while refused - taken > max(100, refused // 20):
        middle = (taken + refused) // 2
        try:
            counted = _tokens(subject, middle) or counted
            taken = middle
        except ContextExceeded:
            refused = middle
        except TransportError as error:
            return unclear("context", f"could not be asked: {error}"), None
    if not counted:
        return refuted("context", f"claimed {claimed}; a prompt that long is refused"), None
    evidence = f"claimed {claimed}; a prompt that long is refused, one of {counted} tokens is taken"
    return refuted("context", evidence), counted


def _tokens(subject: Subject, words: int) -> int | None:
    """What the server counts for a prompt of so many words."""
    text = _WORD * words
    if "embeddings" in subject.entry.provides:
        return subject.client.embed(EmbeddingRequest((text,))).usage.tokens_in
    return subject.client.chat(asking(text, max_tokens=1)).usage.tokens_in
