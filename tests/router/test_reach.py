"""`never_first` against `route` itself: every request of a small world is asked."""

from __future__ import annotations

import datetime
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, combinations
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.router import reach
from aldo.router.compiled import compile_catalog
from aldo.router.facts import Facts
from aldo.router.rank import decided_by, rank
from aldo.router.reach import NeverFirst, never_first
from aldo.router.stages import fits, may_see, question
from aldo.schema import Catalog, RouteRequest
from aldo.validate import lint
from aldo.validate.example import ENTRY, HEADER
from tests.support.reference_router import Ask, Entry, cost
from tests.support.strategies import TIERS, build_catalog, candidates, try_route

TAGS = ("tool-use", "vision")
CLASSES = ("fast-draft", "house-class")
PLACES = ("local", "on-prem", "cloud")
PRICES = ("0", "0.000001", "0.000002", "0.5", "0.75", "1", "1.5", "2", "3", "4", "7", "9")
SENSITIVE = (("local",), ("local", "on-prem"), ("local", "on-prem", "cloud"), ("cloud",))


def subsets(items: Sequence[str]) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(items, size) for size in range(len(items) + 1)))


@st.composite
def an_entry(draw: st.DrawFn, model: str, contexts: Sequence[int], limits: Sequence[int | None]) -> Entry:
    """One entry; most are of one class and place, because only those compete."""
    optional = {
        "servedContextTokens": draw(st.sampled_from((None, None, *contexts))),
        "maxOutputTokens": draw(st.sampled_from(limits)),
        "latencyP95Ms": draw(st.sampled_from((None, 1, 2, 2.5))),
        "enabled": draw(st.sampled_from((None, None, None, None, True, False))),
    }
    return {
        "id": model,
        "provider": "one",
        "providerKind": "openai-compat",
        "locality": draw(st.sampled_from(("local", "local", "local", *PLACES))),
        "capabilityClass": draw(st.sampled_from((*CLASSES[:1] * 4, *CLASSES))),
        "provides": list(draw(st.sampled_from((TAGS, TAGS, *subsets(TAGS)[1:])))),
        "privacyAllowed": list(draw(st.sampled_from((TIERS, TIERS, TIERS, *subsets(TIERS)[1:])))),
        "effectiveContextTokens": draw(st.sampled_from(contexts)),
        "cost": {side: draw(st.sampled_from(PRICES)) for side in ("usdPerMtokIn", "usdPerMtokOut")},
    } | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True)
class World:
    entries: tuple[Entry, ...]
    sensitive: tuple[str, ...]

    @property
    def catalog(self) -> Catalog:
        return build_catalog(self.entries, self.sensitive)

    @property
    def largest(self) -> int:
        return max(entry["effectiveContextTokens"] for entry in self.entries)


@st.composite
def worlds(draw: st.DrawFn, contexts: Sequence[int], limits: Sequence[int | None], most: int, fewest: int = 2) -> World:
    ids = draw(st.lists(st.sampled_from("abcdefgh"), min_size=fewest, max_size=most, unique=True))
    return World(tuple(draw(an_entry(name, contexts, limits)) for name in ids), draw(st.sampled_from(SENSITIVE)))


def small(most: int = 5, largest: int = 7) -> st.SearchStrategy[World]:
    """Few tokens, so that all requests can be asked."""
    return worlds(range(2, largest + 1), (None, None, *range(1, largest + 1)), most)


def verdicts(catalog: Catalog) -> dict[str, NeverFirst]:
    table = compile_catalog(catalog).table
    return {verdict.facts.id: verdict for verdict in never_first(table.facts.values(), table.sensitive_localities)}


def sizes(largest: int) -> Iterator[tuple[int, int]]:
    return ((prompt, out) for prompt in range(1, largest) for out in range(1, largest - prompt + 1))


def every_request(world: World, requires: Sequence[tuple[str, ...]], places: Sequence[Any]) -> Iterator[RouteRequest]:
    classes = sorted({entry["capabilityClass"] for entry in world.entries})
    for capability_class in classes:
        for privacy in TIERS:
            for needed in requires:
                for localities in places:
                    for prompt, out in sizes(world.largest):
                        yield RouteRequest(
                            capability_class=capability_class,
                            privacy=privacy,
                            requires=needed,
                            localities=localities,
                            tokens_in=prompt,
                            max_tokens_out=out,
                        )


def chosen(catalog: Catalog, requests: Iterator[RouteRequest]) -> set[str]:
    return {decision.model for request in requests if (decision := try_route(catalog, request)) is not None}


@settings(max_examples=80)
@given(small(largest=6))
def test_what_any_request_chooses_is_never_told_to_be_never_first(world: World) -> None:
    catalog = world.catalog
    places = (None, *(subset for subset in subsets(PLACES) if subset))
    assert not chosen(catalog, every_request(world, subsets(TAGS), places)) & verdicts(catalog).keys()


@settings(max_examples=120)
@given(small(most=6, largest=12))
def test_nor_is_what_a_request_of_twelve_tokens_chooses(world: World) -> None:
    """The same for more shapes and fewer filters: those that leave the fewest competitors."""
    catalog = world.catalog
    places = [(place,) for place in sorted({entry["locality"] for entry in world.entries})]
    wanted = sorted({tuple(sorted(entry["provides"])) for entry in world.entries})
    assert not chosen(catalog, every_request(world, wanted, places)) & verdicts(catalog).keys()


@st.composite
def crossings(draw: st.DrawFn) -> list[Facts]:
    """Entries that compete for everything and of which none is cheaper for every shape: ties, limits, one price sum."""
    number = draw(st.integers(3, 5))
    prices = draw(st.lists(st.integers(0, 6), min_size=number, max_size=number))
    total = draw(st.integers(6, 9))
    return [
        fact(
            "abcde"[index],
            draw(st.sampled_from((6, 9, 9, 12, 12))),
            draw(st.sampled_from((None, None, 3, 4, 6))),
            (price, max(0, total - price - draw(st.sampled_from((0, 0, 0, 1, -1))))),
            draw(st.sampled_from((None, 1, 2))),
        )
        for index, price in enumerate(prices)
    ]


@settings(max_examples=1500)
@given(crossings())
def test_nor_is_what_wins_where_costs_cross(facts: list[Facts]) -> None:
    """The ends of the parts that several winners share, open and closed, asked of the ranking itself."""
    told = {verdict.facts.id for verdict in never_first(facts, frozenset({"local"}))}
    assert not told & {entry.id for entry in first_somewhere(facts, told)}


@settings(max_examples=150)
@given(small(most=4, largest=5), st.sampled_from((-1, 0, 1)))
def test_no_budget_makes_it_the_first_choice(world: World, step: int) -> None:
    catalog, told = world.catalog, verdicts(world.catalog)
    for model in told:
        entry = next(entry for entry in world.entries if entry["id"] == model)
        for privacy in TIERS:
            for prompt, out in sizes(world.largest):
                ask = Ask(entry["capabilityClass"], privacy, tokens_in=prompt, max_tokens_out=out)
                pico = cost(entry, ask) * 10**12 + step
                budget = Decimal(max(0, int(pico))).scaleb(-12)
                request = RouteRequest(
                    capability_class=entry["capabilityClass"],
                    privacy=privacy,
                    requires=entry["provides"],
                    localities=(entry["locality"],),
                    tokens_in=prompt,
                    max_tokens_out=out,
                    budget_usd=budget,
                )
                decision = try_route(catalog, request)
                assert decision is None or decision.model != model


def served(world: World, entry: Facts, privacy: str) -> Iterator[RouteRequest]:
    """The requests of a tier that an entry survives."""
    for needed in subsets(tuple(sorted(entry.provides))):
        for prompt, out in sizes(world.largest):
            if fits(entry, prompt, out):
                yield RouteRequest(
                    capability_class=entry.capability_class,
                    privacy=privacy,
                    requires=needed,
                    tokens_in=prompt,
                    max_tokens_out=out,
                )


@settings(max_examples=150)
@given(small())
def test_one_of_the_winners_always_comes_before_it(world: World) -> None:
    catalog = world.catalog
    for verdict in verdicts(catalog).values():
        names = {winner.id for winner in verdict.winners}
        for request in served(world, verdict.facts, verdict.privacy):
            before = candidates(catalog, request)
            assert names & set(before[: before.index(verdict.facts.id)])


def test_equal_costs_of_the_only_shape_that_two_tokens_leave_are_no_price_decision() -> None:
    """One token in and one out: 0 + 0.000001 is 0.000001 + 0, so the id decides."""
    base = {"locality": "local", "capabilityClass": "fast-draft", "provides": ["vision"], "effectiveContextTokens": 2}
    whose = {"provider": "one", "providerKind": "openai-compat", "privacyAllowed": list(TIERS), **base}
    prices = {"a": ("0", "0.000001"), "b": ("0.000001", "0")}
    entries = [{"id": n, "cost": {"usdPerMtokIn": i, "usdPerMtokOut": o}, **whose} for n, (i, o) in prices.items()]
    assert {verdict.decided_by for verdict in verdicts(build_catalog(entries)).values()} == {"id"}


@settings(max_examples=150)
@given(small())
def test_what_decides_is_what_the_ranking_says(world: World) -> None:
    """Of a winner that is cheaper for every shape; one that is cheaper for some and ties for others is told as cheaper."""
    catalog = world.catalog
    localities = frozenset(catalog.routing.sensitive_localities)
    for verdict in verdicts(catalog).values():
        if len(verdict.winners) != 1:
            assert verdict.decided_by is None
            continue
        (winner,) = verdict.winners
        reasons = set()
        for request in served(world, verdict.facts, verdict.privacy):
            asked = question(request, localities)
            reasons.add(decided_by(rank(winner, asked), rank(verdict.facts, asked)))
        assert verdict.decided_by in reasons
        if winner.pico_in <= verdict.facts.pico_in and winner.pico_out <= verdict.facts.pico_out:
            assert reasons == {verdict.decided_by}


def first_somewhere(facts: Sequence[Facts], wanted: Collection[str]) -> Iterator[Facts]:
    """Those of the wanted that some size makes first, where all compete for everything. None wanted: nothing to ask."""
    if not wanted:
        return
    ties = {entry.id: (inf if entry.latency_p95_ms is None else entry.latency_p95_ms, entry.id) for entry in facts}
    for prompt, out in sizes(max(entry.context_tokens for entry in facts)):
        alive = [entry for entry in facts if fits(entry, prompt, out)]
        if alive:
            yield min(alive, key=lambda entry: (entry.cost(prompt, out), ties[entry.id]))


def rivals(world: World, entry: Facts, privacy: str) -> list[Facts]:
    """Who else survives the requests that leave an entry the fewest competitors."""
    localities = frozenset(world.catalog.routing.sensitive_localities)
    return [
        other
        for other in compile_catalog(world.catalog).table.facts.values()
        if other.enabled
        and other.id != entry.id
        and (other.capability_class, other.locality) == (entry.capability_class, entry.locality)
        and other.provides >= entry.provides
        and may_see(other, privacy, localities) is None
    ]


def always_before(world: World, other: Facts, entry: Facts, privacy: str) -> bool:
    localities = frozenset(world.catalog.routing.sensitive_localities)
    requests = [request for request in served(world, entry, privacy) if set(request.requires) == entry.provides]
    return bool(requests) and all(
        fits(other, request.tokens_in, request.max_tokens_out)
        and rank(other, question(request, localities)) < rank(entry, question(request, localities))
        for request in requests
    )


@settings(max_examples=100)
@given(small(most=4, largest=8))
def test_what_one_entry_always_comes_before_is_told(world: World) -> None:
    """Exact for a single winner whatever the sizes: cost is linear, so the corners of what fits decide."""
    catalog = world.catalog
    localities = frozenset(catalog.routing.sensitive_localities)
    told = verdicts(catalog)
    for entry in compile_catalog(catalog).table.facts.values():
        tiers = [tier for tier in TIERS if may_see(entry, tier, localities) is None]
        outranked = [
            any(always_before(world, other, entry, tier) for other in rivals(world, entry, tier)) for tier in tiers
        ]
        if entry.enabled and tiers and all(outranked):
            assert entry.id in told


def places_of_change(entry: Facts, others: Sequence[Facts]) -> set[tuple[int, int]]:
    """Sizes on the edge of what an entry takes: its ends, where another costs the same, each and its neighbours."""
    context = entry.context_tokens
    most = context - 1 if entry.max_output_tokens is None else min(context - 1, entry.max_output_tokens)
    outs = {1, most} | {o.max_output_tokens for o in others if o.max_output_tokens is not None}
    ins = {1, context - most} | {o.context_tokens - most for o in others}
    for other in others:
        # prompt * more_in == out * less_out, on the line prompt + out = context and on the line out = most
        more_in, less_out = other.pico_in - entry.pico_in, entry.pico_out - other.pico_out
        if more_in + less_out:
            outs.add(context * more_in // (more_in + less_out))
        if more_in:
            ins.add(most * less_out // more_in)
    near = (-1, 0, 1)
    whole = {(context - out - step, out + step) for out in outs for step in near}
    longest = {(prompt + step, most) for prompt in ins for step in near}
    return {(prompt, out) for prompt, out in whole | longest if prompt >= 1 and out >= 1 and fits(entry, prompt, out)}


# The ranking changes at shares of the context with two differences of such prices, at most 18, as the divisor.
WHOLE_PRICES = ("0", "1", "2", "3", "4", "7", "9")
DIVISIBLE = 1001 * 17  # with 5040 by every number up to 18


@st.composite
def long_worlds(draw: st.DrawFn) -> World:
    """Contexts so long that no first choice hides between two whole tokens."""
    world = draw(worlds((5040, 10080, 15120), (None, None, 2520, 5040, 7560), 6, fewest=3))
    prices = st.sampled_from(WHOLE_PRICES)
    entries = []
    for entry in world.entries:
        shared = {"capabilityClass": CLASSES[0], "locality": "local"}
        costs = {side: draw(prices) for side in ("usdPerMtokIn", "usdPerMtokOut")}
        scaled = {
            field: entry[field] * DIVISIBLE
            for field in ("effectiveContextTokens", "servedContextTokens", "maxOutputTokens")
            if field in entry
        }
        entries.append(entry | shared | {"cost": costs} | scaled)
    return World(tuple(entries), ("local",))


@settings(max_examples=200)
@given(long_worlds())
def test_exactly_what_no_request_chooses_is_told(world: World) -> None:
    """Contexts are multiples of every sum of two differences of prices, so the ranking changes at whole tokens."""
    catalog = world.catalog
    told = verdicts(catalog)
    for entry in compile_catalog(catalog).table.facts.values():
        tiers = [tier for tier in TIERS if tier in entry.privacy_allowed]
        if not entry.enabled:
            assert entry.id not in told
            continue
        first = False
        for privacy in tiers:
            for prompt, out in places_of_change(entry, rivals(world, entry, privacy)):
                request = RouteRequest(
                    capability_class=entry.capability_class,
                    privacy=privacy,
                    requires=tuple(sorted(entry.provides)),
                    localities=(entry.locality,),
                    tokens_in=prompt,
                    max_tokens_out=out,
                )
                decision = try_route(catalog, request)
                first = first or (decision is not None and decision.model == entry.id)
        assert (entry.id in told) == (not first)


def fact(model: str, context: int, limit: int | None, prices: tuple[int, int], latency: float | None = None) -> Facts:
    tiers = frozenset(TIERS)
    return Facts(model, "fast-draft", frozenset(), tiers, "local", context, limit, *prices, latency, True)


def test_several_that_win_together_are_named() -> None:
    """Neither is cheaper for every shape, but always one of them is."""
    facts = [fact("cheap-in", 100, None, (1, 9)), fact("cheap-out", 100, None, (9, 1)), fact("even", 100, None, (6, 6))]
    verdict, *others = never_first(facts, frozenset({"local"}))
    assert {other.facts.id for other in (verdict, *others)} == {"even"}
    assert {winner.id for winner in verdict.winners} == {"cheap-in", "cheap-out"}
    assert verdict.decided_by is None


@pytest.mark.parametrize(
    ("facts", "loser"),
    [
        (
            [fact("a", 5, None, (9, 1), 2), fact("b", 3, None, (7, 3), 2), fact("c", 3, None, (3, 8), 2)],
            "b",
        ),
        (
            [
                fact("a", 4, None, (1, 9)),
                fact("b", 6, None, (0, 8)),
                fact("c", 12, 5, (4, 3), 1),
                fact("d", 5, None, (3, 4)),
            ],
            "d",
        ),
    ],
    ids=["three tokens", "five tokens"],
)
@pytest.mark.xfail(strict=True, reason="sizes are taken for real numbers; the module says so")
def test_a_first_choice_between_two_whole_tokens_is_none(facts: list[Facts], loser: str) -> None:
    """Requests have whole tokens: where only a fraction of one would choose an entry, no request does."""
    assert loser not in {entry.id for entry in first_somewhere(facts, [loser])}
    assert loser in {verdict.facts.id for verdict in never_first(facts, frozenset({"local"}))}


def test_an_entry_without_room_for_a_prompt_and_an_answer_is_outranked_by_nobody() -> None:
    """No request reaches it, so no winner may be named; `never_first` speaks of entries that can be reached."""
    facts = [fact("roomy", 100, None, (1, 1)), fact("single", 1, None, (2, 2))]
    assert list(never_first(facts, frozenset({"local"}))) == []


def test_disabled_entries_neither_win_nor_are_told() -> None:
    off = fact("off", 100, None, (0, 0))._replace(enabled=False)
    assert list(never_first([off, fact("on", 100, None, (1, 1))], frozenset({"local"}))) == []
    dear = fact("dear", 100, None, (2, 2))._replace(enabled=False)
    assert list(never_first([dear, fact("on", 100, None, (1, 1))], frozenset({"local"}))) == []


def test_a_tier_of_its_own_makes_an_entry_the_first_choice() -> None:
    public = fact("public", 100, None, (0, 0))._replace(privacy_allowed=frozenset({"public"}))
    assert list(never_first([public, fact("all", 100, None, (1, 1))], frozenset({"local"}))) == []


def test_sensitive_counts_only_where_it_may_go() -> None:
    """A cloud entry's claim to see sensitive data gives it no request of its own until that is widened."""
    cheap = fact("cheap", 100, None, (0, 0))._replace(locality="cloud", privacy_allowed=frozenset({"public"}))
    dear = fact("dear", 100, None, (1, 1))._replace(
        locality="cloud", privacy_allowed=frozenset({"public", "sensitive"})
    )
    assert [verdict.facts.id for verdict in never_first([cheap, dear], frozenset({"local"}))] == ["dear"]
    assert list(never_first([cheap, dear], frozenset({"local", "cloud"}))) == []


def test_a_winner_of_one_tier_is_not_told_to_win_in_all(tmp_path: Path) -> None:
    """Each tier has a winner of its own here; the message of AL501 must not say that one of them always wins."""
    entry = ENTRY.replace("usdPerMtokIn: 0, usdPerMtokOut: 0", "usdPerMtokIn: 2, usdPerMtokOut: 2")
    cheap = entry.replace(": 2", ": 1")
    tiers = "privacyAllowed: [public, internal, sensitive]"
    both = entry.replace(tiers, "privacyAllowed: [public, internal]")
    public = cheap.replace("qwen", "for-public").replace(tiers, "privacyAllowed: [public]")
    internal = cheap.replace("qwen", "for-internal").replace(tiers, "privacyAllowed: [internal]")
    file = tmp_path / "models.yaml"
    file.write_text(HEADER + both + public + internal, encoding="utf-8")
    (finding,) = lint(file, select=["AL501"], today=datetime.date(2026, 11, 22)).findings
    assert "for public requests for-public always comes first" in finding.message
    assert "for internal requests for-internal always comes first" in finding.message


def said(catalog: Catalog) -> set[tuple[object, ...]]:
    return {
        (model, verdict.privacy, tuple(winner.id for winner in verdict.winners), verdict.decided_by)
        for model, verdict in verdicts(catalog).items()
    }


@settings(max_examples=100)
@given(st.data(), small(most=7, largest=12))
def test_file_order_changes_no_verdict(data: st.DataObject, world: World) -> None:
    table = compile_catalog(world.catalog).table
    shuffled = data.draw(st.permutations(list(table.facts.values())))
    seen = {(v.facts.id, v.privacy, v.winners) for v in never_first(shuffled, table.sensitive_localities)}
    facts = table.facts.values()
    assert seen == {(v.facts.id, v.privacy, v.winners) for v in never_first(facts, table.sensitive_localities)}


@settings(max_examples=100)
@given(st.data(), small(most=6, largest=12))
def test_relabelling_providers_changes_no_verdict(data: st.DataObject, world: World) -> None:
    labels = st.fixed_dictionaries(
        {
            "provider": st.sampled_from(("one", "mlx", "ollama")),
            "providerKind": st.sampled_from(("openai-compat", "mlx")),
        }
    )
    other = World(tuple(entry | data.draw(labels) for entry in world.entries), world.sensitive)
    assert said(world.catalog) == said(other.catalog)


def crowd(number: int) -> list[Facts]:
    """Prices that rise together, as those of real models do; a few classes, contexts and sets of tags."""
    draw = random.Random(20261122)
    tags = ("tool-use", "vision", "streaming", "reasoning", "json-mode", "long-output")
    found = []
    for index in range(number):
        price = draw.randrange(1, 100_000)
        place = draw.choice(PLACES)
        found.append(
            fact(
                f"model-{index}", draw.choice((8192, 32768, 131072)), draw.choice((None, 4096, 8192)), (0, 0)
            )._replace(
                capability_class=draw.choice(("fast-draft", "reasoning-large", "reasoning-small")),
                provides=frozenset(draw.sample(tags, draw.randrange(1, 5))),
                locality=place,
                pico_in=price,
                pico_out=price * draw.choice((3, 4, 5)),
                latency_p95_ms=draw.choice((None, float(draw.randrange(100, 5000)))),
            )
        )
    return found


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs of entries were looked at, in its only item."""
    count = [0]
    always, wins_at, covering = reach._outranks_always, reach._wins_at, reach._covering

    def counted_always(other: Facts, entry: Facts) -> bool:
        count[0] += 1
        return always(other, entry)

    def counted_wins_at(entry: Facts, others: list[Facts], tokens_in: int, tokens_out: int) -> bool:
        count[0] += len(others)
        return wins_at(entry, others, tokens_in, tokens_out)

    def counted_covering(entry: Facts, others: list[Facts]) -> tuple[Facts, ...]:
        count[0] += 2 * len(others)
        return covering(entry, others)

    monkeypatch.setattr(reach, "_outranks_always", counted_always)
    monkeypatch.setattr(reach, "_wins_at", counted_wins_at)
    monkeypatch.setattr(reach, "_covering", counted_covering)
    return count


def test_four_times_the_entries_take_no_more_than_six_times_the_comparisons(comparisons: list[int]) -> None:
    used = []
    for number in (1_000, 4_000, 16_000):
        comparisons[0] = 0
        assert sum(1 for _ in never_first(crowd(number), frozenset({"local"}))) > number / 2
        used.append(comparisons[0])
    assert used[1] <= 6 * used[0]
    assert used[2] <= 6 * used[1]


def test_a_hostile_catalog_ends_at_the_bound(comparisons: list[int]) -> None:
    """No price is below another on both sides, so nobody outranks anybody: all pairs would have to be compared."""
    number = 6_000
    hostile = [fact(f"m{index}", 100, None, (index, number - index)) for index in range(number)]
    for _ in never_first(hostile, frozenset({"local"})):
        pass
    assert comparisons[0] <= 2 * reach.MOST_COMPARISONS
