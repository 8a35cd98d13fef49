"""The types everything else is said in: entry, catalog, request, decision, agent. Values, no behaviour.

What may enter: frozen pydantic types and the constants of the contract. No I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aldo._lazy import lazy_names

if TYPE_CHECKING:
    from aldo.schema.agent import Agent
    from aldo.schema.catalog import Catalog, Routing, Vocabulary
    from aldo.schema.decision import Decision, DecisionRecord
    from aldo.schema.entry import Cost, Deprecation, ModelEntry, ProviderConfig
    from aldo.schema.explanation import Change, ClassTrace, EmptiedClass, Relaxation, Trace, WhyNot
    from aldo.schema.request import RouteRequest

_HOMES = {
    "Agent": "agent",
    "Catalog": "catalog",
    "Change": "explanation",
    "ClassTrace": "explanation",
    "Cost": "entry",
    "Decision": "decision",
    "DecisionRecord": "decision",
    "Deprecation": "entry",
    "EmptiedClass": "explanation",
    "ModelEntry": "entry",
    "ProviderConfig": "entry",
    "Relaxation": "explanation",
    "RouteRequest": "request",
    "Routing": "catalog",
    "Trace": "explanation",
    "Vocabulary": "catalog",
    "WhyNot": "explanation",
}

__all__ = [
    "Agent",
    "Catalog",
    "Change",
    "ClassTrace",
    "Cost",
    "Decision",
    "DecisionRecord",
    "Deprecation",
    "EmptiedClass",
    "ModelEntry",
    "ProviderConfig",
    "Relaxation",
    "RouteRequest",
    "Routing",
    "Trace",
    "Vocabulary",
    "WhyNot",
]

__getattr__ = lazy_names("aldo.schema", _HOMES)
