"""The types everything else is said in: entry, catalog, request, decision, policy, agent. Values, no behaviour.

What may enter: frozen pydantic types and the constants of the contract. No I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aldo._lazy import Load, lazy_names

if TYPE_CHECKING:
    from aldo.schema.agent import Agent
    from aldo.schema.catalog import Catalog, Routing, Vocabulary
    from aldo.schema.decision import Decision, DecisionRecord
    from aldo.schema.difference import Outcome, Region, RoutingChange
    from aldo.schema.entry import Cost, Deprecation, ModelEntry, ProviderConfig
    from aldo.schema.explanation import Change, ClassTrace, EmptiedClass, Relaxation, Trace, WhyNot
    from aldo.schema.policy import RoutingPolicy
    from aldo.schema.proof import Proof, Redundancy, Statement
    from aldo.schema.request import RouteRequest, request_from_json
    from aldo.schema.usage import UsageRow

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
    "Outcome": "difference",
    "Proof": "proof",
    "ProviderConfig": "entry",
    "Redundancy": "proof",
    "Region": "difference",
    "Relaxation": "explanation",
    "RouteRequest": "request",
    "UsageRow": "usage",
    "request_from_json": "request",
    "Routing": "catalog",
    "RoutingChange": "difference",
    "RoutingPolicy": "policy",
    "Statement": "proof",
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
    "Outcome",
    "Proof",
    "ProviderConfig",
    "Redundancy",
    "Region",
    "Relaxation",
    "RouteRequest",
    "Routing",
    "RoutingChange",
    "RoutingPolicy",
    "Statement",
    "Trace",
    "UsageRow",
    "Vocabulary",
    "WhyNot",
    "request_from_json",
]

__getattr__: Load = lazy_names("aldo.schema", _HOMES)
