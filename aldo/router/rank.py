"""How survivors of one class are ordered: locality, cost, latency, id."""

from __future__ import annotations

from math import inf

from aldo.router.facts import Facts
from aldo.router.stages import Question
from aldo.schema.explanation import RankKey
from aldo.schema.vocabulary import LOCALITIES

_NEARNESS = {locality: rank for rank, locality in enumerate(LOCALITIES)}
_KEYS: tuple[RankKey, ...] = ("locality", "cost", "latency", "id")

Rank = tuple[int, int, float, str]


def rank(facts: Facts, asked: Question) -> Rank:
    """The sort key of a survivor; the smallest wins. A missing latency comes last."""
    cost = facts.cost(asked.tokens_in, asked.tokens_out)
    return (_NEARNESS[facts.locality], cost, *tie(facts))


def tie(facts: Facts) -> tuple[float, str]:
    """What decides between two of one locality that cost the same."""
    latency = facts.latency_p95_ms
    return inf if latency is None else latency, facts.id


def decided_by(winner: Rank, loser: Rank) -> RankKey:
    """The first key in which two ranks differ."""
    return next(key for key, ours, theirs in zip(_KEYS, winner, loser, strict=True) if ours != theirs)
