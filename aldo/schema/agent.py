"""An agent file (`schema: aldo-ai/agent.v1`): who it is, which tier its data has, which class it wants.

Its keys are snake_case, as in the seed project's own agent files.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from aldo.schema.base import Name, SnakeCase, Text, Version, one_or_list
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import PrivacyTier

AGENT_SCHEMA: Literal["aldo-ai/agent.v1"] = "aldo-ai/agent.v1"


class Identity(SnakeCase):
    name: Text
    owner: Text | None = None
    team: Text | None = None


class ModelPolicy(SnakeCase):
    """What the agent asks of the router."""

    capability_class: Name
    fallback: Annotated[
        tuple[Name, ...], BeforeValidator(one_or_list, json_schema_input_type=Name | tuple[Name, ...])
    ] = ()
    """Classes to try in order when the first has no eligible model: one name or a list."""
    requires: tuple[Name, ...] = ()


class Agent(SnakeCase):
    """An agent: it names a class, a tier and a policy, never a vendor's model."""

    version: Version = None
    schema_: Annotated[Literal["aldo-ai/agent.v1"], Field(alias="schema")] = AGENT_SCHEMA
    identity: Identity
    role: Text | None = None
    privacy_tier: PrivacyTier
    model_policy: ModelPolicy
    system_prompt: Text | None = None

    def request(self, **fields: Any) -> RouteRequest:
        """The routing request of this agent; `fields` (snake_case) take precedence."""
        mine = {
            "capability_class": self.model_policy.capability_class,
            "fallback_classes": self.model_policy.fallback,
            "requires": self.model_policy.requires,
            "privacy": self.privacy_tier,
        }
        return RouteRequest(**{**mine, **fields})
