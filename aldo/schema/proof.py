"""What comes of a proof, as values: verdicts, witnesses, the redundancy table."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import PrivacyTier

Verdict = Literal["proven", "refuted", "vacuous"]


class Statement(NamedTuple):
    """One statement and what was found about all requests."""

    name: str
    verdict: Verdict
    witness: RouteRequest | None = None
    """A request that refutes it."""
    detail: str = ""
    """Why, in words: what the witness gets, or what nothing matches."""
    may_be_vacuous: bool = False
    """Whether it is no failure that it says nothing: of the built-in ones, and where a policy allows it."""

    def to_dict(self) -> dict[str, Any]:
        witness = self.witness and self.witness.model_dump(mode="json", exclude_defaults=True)
        return {"name": self.name, "verdict": self.verdict, "witness": witness, "detail": self.detail}


class Redundancy(NamedTuple):
    """A class and tier, and the models that a request may be served by."""

    capability_class: str
    privacy: PrivacyTier
    models: tuple[str, ...]
    """By id. When all of them are down nothing is left."""

    @property
    def survives(self) -> int:
        """How many of them may be down before nothing is left; -1 where nothing is there."""
        return len(self.models) - 1

    def to_dict(self) -> dict[str, Any]:
        return {
            "capabilityClass": self.capability_class,
            "privacy": self.privacy,
            "models": list(self.models),
            "survives": self.survives,
        }


class Proof(NamedTuple):
    """What `prove` found."""

    statements: tuple[Statement, ...]
    redundancy: tuple[Redundancy, ...]
    built_in: bool
    """Whether the statements are the built-in ones."""

    @property
    def holds(self) -> bool:
        """Whether nothing is refuted, and nothing is vacuous that must say something."""
        return all(
            one.verdict == "proven" or (one.verdict == "vacuous" and one.may_be_vacuous) for one in self.statements
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `aldo prove --json`."""
        return {
            "version": 1,
            "statements": [statement.to_dict() for statement in self.statements],
            "redundancy": [row.to_dict() for row in self.redundancy],
        }
