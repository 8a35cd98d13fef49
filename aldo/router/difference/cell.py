"""One class and tier on both sides: which pairs of winners some request has, decided for all requests.

Which requests have to be looked at:

- Two winners that are alike on both sides are one entry. So one of the winners is changed.
- The more tags a request requires, the fewer competitors there are, on both sides. So a pair of winners is found,
  if at all, at the largest requirement set that both provide; a winner against nobody at all that it provides.
- Of localities and budgets those matter that separate two places: where one side takes a nearer place than the
  other, the nearer one is empty for the other, or too dear for a budget that pays for both winners.
- Sizes are cut into bands, between whose thresholds the same entries fit, and bands into sectors, in which the
  winners stay the same. In a sector a difference of costs is linear, so whether one of its requests is dearer is a
  question of whole points in a convex polygon.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aldo.router.difference.found import Found, Key, Shown, Way
from aldo.router.difference.rise import ANY, Rise
from aldo.router.difference.side import Groups, Shelves, groups, only_in
from aldo.router.envelope import Envelope
from aldo.router.facts import Facts
from aldo.router.regions.bands import Band, bands
from aldo.router.regions.effort import Effort
from aldo.router.regions.lattice import HalfPlane
from aldo.router.regions.sectors import Sector, sectors
from aldo.schema.decimals import LARGEST as LARGEST_USD
from aldo.schema.decimals import pico_usd
from aldo.schema.difference import ChangeKind
from aldo.schema.vocabulary import LOCALITIES, Locality, PrivacyTier

Envelopes = dict[Locality, Envelope | None]


def requirement_sets(base: Sequence[Facts], head: Sequence[Facts], effort: Effort) -> Iterator[frozenset[str]]:
    """The requirement sets at which a pair of winners can be found if anywhere, each once."""
    seen: set[frozenset[str]] = set()
    for mine, theirs in ((base, head), (head, base)):
        others = dict.fromkeys(facts.provides for facts in theirs)
        for provides in dict.fromkeys(facts.provides for facts in only_in(mine, theirs)):
            effort.spend(1 + len(others) // 8)
            for requires in dict.fromkeys([provides, *(provides & other for other in others)]):
                if requires not in seen:
                    seen.add(requires)
                    yield requires


class CellComparison(NamedTuple):
    """Compares one class and tier, one requirement set after the other, and adds to what is found."""

    capability_class: str
    privacy: PrivacyTier
    base: Shelves
    head: Shelves
    found: Found
    effort: Effort

    def compare(self, requires: frozenset[str]) -> None:
        base, head = groups(self.base, self.head, requires)
        self.effort.spend(1 + sum(len(shelf) for side in (base, head) for shelf in side.values()))
        changed = [place for place in LOCALITIES if base[place] is not head[place]]
        if changed:
            members = sum(len(group.members) for side in (base, head) for group in side.values())
            for band in bands((*base.values(), *head.values())):
                self.effort.spend(1 + members // 16)
                _BandComparison(self, requires, band, _envelopes(base, band), _envelopes(head, band)).compare(changed)

    def show(self, kind: ChangeKind, band: Band, sector: Sector, way: Way, more: tuple[HalfPlane, ...]) -> None:
        """Tell of a sector, if some request in it keeps `more` conditions and no plainer one is known."""
        base, head = sector.base, sector.head
        key = Key(kind, self.capability_class, base and base.id, head and head.id)
        if self.found.has(key, self.privacy, way.plainness):
            return
        self.effort.spend(2)
        sizes = sector.point(band, *more)
        if sizes is not None:
            self.found.add(key, self.privacy, Shown(way, sizes))


class _BandComparison(NamedTuple):
    """The same for the sizes of one band, within which it stays the same who takes them."""

    cell: CellComparison
    requires: frozenset[str]
    band: Band
    base: Envelopes
    head: Envelopes

    def compare(self, changed: Sequence[Locality]) -> None:
        self._served(_first(self.base), _first(self.head), Way(self.requires))
        for place in changed:
            mine, theirs = self.base[place], self.head[place]
            self._served(mine, theirs, Way(self.requires, (place,)))
            if mine is not None and theirs is not None:
                self._budgeted(place, mine, theirs)
                continue
            for farther in _beyond(place):  # empty on one side, so that side goes on to the next place
                way = Way(self.requires, (place, farther))
                if mine is not None:
                    self._served(mine, self.head[farther], way)
                elif theirs is not None:
                    self._served(self.base[farther], theirs, way)

    def _served(self, base: Envelope | None, head: Envelope | None, way: Way) -> None:
        """Requests that these two envelopes answer."""
        if not (base is head or (base is not None and head is not None and base.is_like(head))):
            for sector in sectors(base, head):
                self.cell.effort.spend()
                self._pair(sector, way)

    def _pair(self, sector: Sector, way: Way, *more: HalfPlane) -> None:
        """What is to be told of a pair of winners: that one is missing, another, dearer, cheaper."""
        base, head = sector.base, sector.head
        if base is head:
            return
        if base is None or head is None:
            winner = base or head
            if winner is not None and winner.provides == self.requires:
                self._show("routable" if base is None else "unroutable", sector, way, more)
            return
        if base.provides & head.provides != self.requires:
            return  # what can be found here is found there
        if base.id != head.id:
            self._show("rerouted", sector, way, more)
        rises: tuple[tuple[ChangeKind, Rise, Facts, Facts], ...] = (
            ("dearer", self.cell.found.rise, base, head),
            ("cheaper", ANY, head, base),
        )
        for kind, rise, cheap, dear in rises:
            if rise.is_possible(cheap, dear):
                self._show(kind, sector, way, (*more, rise.half_plane(cheap, dear)))

    def _show(self, kind: ChangeKind, sector: Sector, way: Way, more: tuple[HalfPlane, ...]) -> None:
        self.cell.show(kind, self.band, sector, way, more)

    def _budgeted(self, place: Locality, mine: Envelope, theirs: Envelope) -> None:
        """A budget that pays for one of two winners and not for the other: then a farther place serves, or nobody."""
        if mine.is_like(theirs):
            return
        for sector in sectors(mine, theirs):
            self.cell.effort.spend()
            base, head = sector.base, sector.head
            assert base is not None
            assert head is not None
            if ANY.is_possible(base, head):
                self._instead(place, sector._replace(head=None), base, head)
            if ANY.is_possible(head, base):
                self._instead(place, sector._replace(base=None), head, base)

    def _instead(self, place: Locality, sector: Sector, paid: Facts, dear: Facts) -> None:
        """Who answers instead of `dear`, in the catalog in which it wins, while the budget still pays for `paid`."""
        too_dear = ANY.half_plane(paid, dear), _payable(paid)
        self._pair(sector, Way(self.requires, (place,), (paid,)), *too_dear)
        side = self.head if sector.head is None else self.base
        for farther in _beyond(place):
            for beyond in sectors(side[farther], None):
                other = beyond.base
                if other is None or paid.provides & other.provides != self.requires:
                    continue
                if not ANY.is_possible(other, dear):
                    continue
                self.cell.effort.spend()
                winners = (paid, other) if sector.head is None else (other, paid)
                both = Sector(*winners, (*sector.half_planes, *beyond.half_planes))
                way = Way(self.requires, (place, farther), (paid, other))
                self._pair(both, way, *too_dear, ANY.half_plane(other, dear), _payable(other))


def _envelopes(groups: Groups, band: Band) -> Envelopes:
    """Per locality who takes the sizes of a band."""
    return {place: group.envelope_at(band.total, band.limit) for place, group in groups.items()}


def _first(envelopes: Envelopes) -> Envelope | None:
    """The nearest place that takes the sizes of the band."""
    return next((found for place in LOCALITIES if (found := envelopes[place]) is not None), None)


def _beyond(place: Locality) -> tuple[Locality, ...]:
    return LOCALITIES[LOCALITIES.index(place) + 1 :]


_LARGEST_BUDGET = pico_usd(LARGEST_USD)


def _payable(facts: Facts) -> HalfPlane:
    """The sizes at which an entry costs no more than the largest budget that a request may say."""
    return facts.pico_in, facts.pico_out, _LARGEST_BUDGET
