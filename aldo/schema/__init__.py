"""The types everything else is said in: entry, catalog, request, decision, agent. Values, no behaviour.

What may enter: frozen pydantic types and the constants of the contract. No I/O.
"""

from aldo.schema.catalog import API_VERSION, CATALOG_KIND, Catalog, Routing, Vocabulary
from aldo.schema.decision import Decision, DecisionRecord
from aldo.schema.entry import Cost, Deprecation, ModelEntry, ProviderConfig
from aldo.schema.explanation import Change, ClassTrace, EmptiedClass, Relaxation, Trace, WhyNot
from aldo.schema.request import RouteRequest

__all__ = [
    "API_VERSION",
    "CATALOG_KIND",
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
