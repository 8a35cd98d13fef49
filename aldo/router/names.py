"""Which classes, tags and ids a request may name. A name that nobody knows is an error, not an empty result."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from aldo.errors import NameKind, UnknownNameError
from aldo.router.facts import Facts
from aldo.schema.catalog import Vocabulary
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES


class KnownNames:
    """Built-in names, the catalog's own vocabulary, and the names that its entries use."""

    def __init__(self, facts: Iterable[Facts], vocabulary: Vocabulary) -> None:
        facts = tuple(facts)
        self.declared: dict[str, frozenset[str]] = {
            "capabilityClasses": frozenset(vocabulary.capability_classes),
            "capabilities": frozenset(vocabulary.capabilities),
        }
        self.classes: frozenset[str] = frozenset(CAPABILITY_CLASSES).union(
            self.declared["capabilityClasses"], (fact.capability_class for fact in facts)
        )
        self.capabilities: frozenset[str] = frozenset(CAPABILITIES).union(
            self.declared["capabilities"], *(fact.provides for fact in facts)
        )
        self.models: frozenset[str] = frozenset(fact.id for fact in facts)

    def check(self, request: RouteRequest) -> None:
        """Raises `UnknownNameError` for a class, tag or pin that does not exist.

        Ids in `exclude` and `down` may be unknown: a health snapshot may outlive a model.
        """
        for name in (request.capability_class, *request.fallback_classes):
            self.check_class(name)
        for name in request.requires:
            self.check_one("capability", name)
        if request.pin is not None:
            self.check_model(request.pin)

    def check_class(self, name: str) -> None:
        self.check_one("class", name)

    def check_model(self, model: str) -> None:
        self.check_one("model", model)

    def check_one(self, what: NameKind, name: str) -> None:
        """Raises `UnknownNameError` for a name of this kind that nobody knows."""
        known = {"class": self.classes, "capability": self.capabilities, "model": self.models}[what]
        if name not in known:
            raise UnknownNameError(
                what, name, nearest(name, known), known=() if what == "model" else tuple(sorted(known))
            )


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three known names that look like this one, the likeliest first; a prefix counts as near."""
    names = sorted(known)
    close = get_close_matches(name, names, n=3, cutoff=0.6) or get_close_matches(name.lower(), names, n=3, cutoff=0.6)
    starting = [other for other in names if len(name) >= 3 and other.startswith(name)]
    return tuple(dict.fromkeys((*close, *starting)))[:3]
